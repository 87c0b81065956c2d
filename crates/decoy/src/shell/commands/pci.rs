//! `lspci` of pciutils 3.9.0.

use super::{Call, Said, usage};
use crate::machine::pci::{Device, devices};

pub(super) fn lspci(call: &Call<'_>) -> Said {
    let options = call.options("sdpioHFA");
    if let Some(letter) = options.unknown("vxmnbDktgMqQPGO") {
        let help = usage::of("lspci", &["--help".to_owned()], false).unwrap_or_default();
        let what = format!("lspci: invalid option -- '{letter}'\n");
        return Said::err([what.into_bytes(), help.out, help.err].concat(), 1);
    }
    if options.has_long("version") {
        return Said::out("lspci version 3.9.0\n");
    }
    let count = |letter: char| options.letters.iter().filter(|one| **one == letter).count();
    let (numbers, verbose) = (count('n'), count('v'));
    let mut text = String::new();
    if options.has('t') {
        text += "-[0000:00]-";
        for (number, device) in devices(call.identity()).iter().enumerate() {
            let slot = device.slot.split_once(':').map_or(device.slot, |(_, slot)| slot);
            let branch = if number == 0 { "+-" } else { "           +-" };
            text += &format!("{branch}{slot}\n");
        }
        return Said::out(text);
    }
    for device in devices(call.identity()) {
        let wanted = |value: &str| {
            let value = value.trim_start_matches("0000:");
            device.slot == value
                || device.slot.strip_suffix(".0") == Some(value)
                || device.slot.ends_with(&format!(":{value}"))
        };
        let of_kind = |value: &str| {
            let mut parts = value.split(':');
            let same = |part: Option<&str>, own: u16| {
                part.is_none_or(|part| part.is_empty() || u16::from_str_radix(part, 16) == Ok(own))
            };
            same(parts.next(), device.vendor) && same(parts.next(), device.device)
        };
        if options.value('s').is_some_and(|value| !wanted(value))
            || options.value('d').is_some_and(|value| !of_kind(value))
        {
            continue;
        }
        let slot = if options.has('D') { format!("0000:{}", device.slot) } else { device.slot.to_owned() };
        text +=
            &if options.has('m') { machine_readable(&device, &slot) } else { line(&device, &slot, numbers) };
        if verbose > 0 {
            text += &details(&device, numbers);
        }
        if options.has('k') || verbose > 0 {
            if verbose == 0 {
                text += &subsystem(&device, numbers);
            }
            if !device.driver.is_empty() {
                text += &format!("\tKernel driver in use: {}\n", device.driver);
            }
            if !device.modules.is_empty() {
                text += &format!("\tKernel modules: {}\n", device.modules);
            }
        }
        if verbose > 0 {
            text.push('\n');
        }
    }
    Said::out(text)
}

fn line(device: &Device, slot: &str, numbers: usize) -> String {
    let class = device.class >> 8;
    let ids = format!("{:04x}:{:04x}", device.vendor, device.device);
    let revision =
        if device.revision == 0 { String::new() } else { format!(" (rev {:02x})", device.revision) };
    match numbers {
        1 => format!("{slot} {class:04x}: {ids}{revision}\n"),
        0 if device.name.is_empty() => format!("{slot} {}: Device {ids}{revision}\n", device.class_name),
        0 => format!("{slot} {}: {}{revision}\n", device.class_name, device.name),
        _ => {
            let class_name = device.class_name.split(" [").next().unwrap_or_default();
            let name = if device.name.is_empty() { "Device" } else { device.name };
            format!("{slot} {class_name} [{class:04x}]: {name} [{ids}]{revision}\n")
        }
    }
}

fn subsystem(device: &Device, numbers: usize) -> String {
    let (vendor, id) = device.subsystem;
    match numbers {
        0 => format!("\tSubsystem: {}\n", device.subsystem_name),
        1 => format!("\tSubsystem: {vendor:04x}:{id:04x}\n"),
        _ => format!("\tSubsystem: {} [{vendor:04x}:{id:04x}]\n", device.subsystem_name),
    }
}

fn details(device: &Device, numbers: usize) -> String {
    let mut text = subsystem(device, numbers);
    let interrupt = if device.interrupt == 0 { String::new() } else { format!(", IRQ {}", device.interrupt) };
    let flags = if device.driver.is_empty() { "fast devsel" } else { "bus master, fast devsel, latency 0" };
    text += &format!("\tFlags: {flags}{interrupt}\n");
    if device.driver.starts_with("virtio") {
        let slot = device.slot.get(3..5).and_then(|slot| u32::from_str_radix(slot, 16).ok()).unwrap_or(0);
        text += &format!(
            "\tI/O ports at {:x} [size=64]\n\tMemory at feb{:x}1000 (32-bit, non-prefetchable) [size=4K]\n\tMemory at fe0{:x}0000 (64-bit, prefetchable) [size=16K]\n\tCapabilities: [98] MSI-X: Enable+ Count=3 Masked-\n\tCapabilities: [84] Vendor Specific Information: VirtIO: <unknown>\n",
            0xc000 + slot * 0x40,
            slot % 16,
            slot % 16,
        );
    }
    text
}

fn machine_readable(device: &Device, slot: &str) -> String {
    let class = device.class_name.split(" [").next().unwrap_or_default();
    let (vendor, name) = device.name.split_once(", Inc. ").map_or_else(
        || {
            let rest = device.name.strip_prefix("Intel Corporation ");
            rest.map_or((String::new(), device.name), |name| ("Intel Corporation".to_owned(), name))
        },
        |(vendor, name)| (format!("{vendor}, Inc."), name),
    );
    let revision = if device.revision == 0 { String::new() } else { format!(" -r{:02x}", device.revision) };
    format!(
        "{slot} \"{class}\" \"{vendor}\" \"{name}\"{revision} \"Red Hat, Inc.\" \"QEMU Virtual Machine\"\n"
    )
}
