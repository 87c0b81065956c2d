//! `dmidecode`: what the firmware says of the machine, as `/sys/class/dmi/id` has it (dmidecode 3.4).

use super::{Call, Said};

/// Keywords of `-s`, and the files that answer them.
const KEYWORDS: &[(&str, &str)] = &[
    ("bios-vendor", "bios_vendor"),
    ("bios-version", "bios_version"),
    ("bios-release-date", "bios_date"),
    ("system-manufacturer", "sys_vendor"),
    ("system-product-name", "product_name"),
    ("system-version", "product_version"),
    ("system-serial-number", "product_serial"),
    ("system-uuid", "product_uuid"),
    ("chassis-manufacturer", "chassis_vendor"),
];

pub(super) fn dmidecode(call: &Call<'_>) -> Said {
    let value = |file: &str| {
        let bytes = call.files().read(&format!("/sys/class/dmi/id/{file}")).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).trim().to_owned();
        if text.is_empty() { "Not Specified".to_owned() } else { text }
    };
    if call.session.who().uid != 0 {
        return Said::err(
            "/sys/firmware/dmi/tables/smbios_entry_point: Permission denied\nCan't read memory from /dev/mem\n",
            1,
        );
    }
    if let [option, keyword, ..] = call.args
        && option == "-s"
    {
        let known = KEYWORDS.iter().find(|(known, _)| known == keyword);
        return known.map_or_else(
            || Said::err(format!("Invalid string keyword: {keyword}\n"), 2),
            |(_, file)| Said::out(format!("{}\n", value(file))),
        );
    }
    Said::out(format!(
        "# dmidecode 3.4\nGetting SMBIOS data from sysfs.\nSMBIOS 2.8 present.\n\n\
         Handle 0x0000, DMI type 0, 24 bytes\nBIOS Information\n\tVendor: {}\n\tVersion: {}\n\tRelease Date: {}\n\
         \tROM Size: 64 kB\n\tCharacteristics:\n\t\tBIOS characteristics not supported\n\
         \t\tTargeted content distribution is supported\n\tBIOS Revision: 0.0\n\n\
         Handle 0x0100, DMI type 1, 27 bytes\nSystem Information\n\tManufacturer: {}\n\tProduct Name: {}\n\
         \tVersion: {}\n\tSerial Number: {}\n\tUUID: {}\n\tWake-up Type: Power Switch\n\
         \tSKU Number: Not Specified\n\tFamily: Not Specified\n\n\
         Handle 0x0300, DMI type 3, 22 bytes\nChassis Information\n\tManufacturer: {}\n\tType: Other\n\tLock: Not Present\n\
         \tBoot-up State: Safe\n\tPower Supply State: Safe\n\tThermal State: Safe\n\tSecurity Status: Unknown\n\n\
         Handle 0x7F00, DMI type 127, 4 bytes\nEnd Of Table\n\n",
        value("bios_vendor"),
        value("bios_version"),
        value("bios_date"),
        value("sys_vendor"),
        value("product_name"),
        value("product_version"),
        value("product_serial"),
        value("product_uuid"),
        value("chassis_vendor"),
    ))
}
