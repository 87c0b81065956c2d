//! Work that takes long: meanwhile another thread serves everybody else.

/// Does it where it disturbs nobody.
pub(super) fn at_length<T>(work: impl FnOnce() -> T) -> T {
    let spare = tokio::runtime::Handle::try_current()
        .is_ok_and(|handle| handle.runtime_flavor() == tokio::runtime::RuntimeFlavor::MultiThread);
    if spare { tokio::task::block_in_place(work) } else { work() }
}
