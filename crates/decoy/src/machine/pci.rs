//! What is on the board's PCI bus: one list for `lspci`, `/sys/bus/pci` and `/proc/bus/pci`.

use super::Identity;

/// One device on the bus, as QEMU puts it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Device {
    /// `00:1f.2`.
    pub(crate) slot: &'static str,
    /// Class, as six hex digits with the interface.
    pub(crate) class: u32,
    pub(crate) vendor: u16,
    pub(crate) device: u16,
    pub(crate) subsystem: (u16, u16),
    pub(crate) revision: u8,
    pub(crate) interrupt: u8,
    /// Name of its class (pci.ids).
    pub(crate) class_name: &'static str,
    /// Its name; empty: pci.ids has none.
    pub(crate) name: &'static str,
    pub(crate) subsystem_name: &'static str,
    /// The driver that has it.
    pub(crate) driver: &'static str,
    /// Modules that could have it.
    pub(crate) modules: &'static str,
}

const QEMU: (u16, u16) = (0x1af4, 0x1100);
const QEMU_MACHINE: &str = "Red Hat, Inc. QEMU Virtual Machine";

const fn device(slot: &'static str, class: u32, vendor: u16, device: u16) -> Device {
    Device {
        slot,
        class,
        vendor,
        device,
        subsystem: QEMU,
        revision: 0,
        interrupt: 0,
        class_name: "",
        name: "",
        subsystem_name: QEMU_MACHINE,
        driver: "",
        modules: "",
    }
}

const VGA: Device = Device {
    revision: 2,
    class_name: "VGA compatible controller",
    driver: "bochs-drm",
    modules: "bochs",
    ..device("00:01.0", 0x03_0000, 0x1234, 0x1111)
};

const NETWORK: Device = Device {
    subsystem: (0x1af4, 0x0001),
    interrupt: 11,
    class_name: "Ethernet controller",
    name: "Red Hat, Inc. Virtio network device",
    subsystem_name: "Red Hat, Inc. Virtio network device",
    driver: "virtio-pci",
    modules: "virtio_pci",
    ..device("00:03.0", 0x02_0000, 0x1af4, 0x1000)
};

const DISK: Device = Device {
    subsystem: (0x1af4, 0x0002),
    class_name: "SCSI storage controller",
    name: "Red Hat, Inc. Virtio block device",
    subsystem_name: "Red Hat, Inc. Virtio block device",
    ..Device { slot: "00:04.0", class: 0x01_0000, device: 0x1001, ..NETWORK }
};

const SCSI: Device = Device {
    device: 0x1004,
    subsystem: (0x1af4, 0x0008),
    name: "Red Hat, Inc. Virtio SCSI",
    subsystem_name: "Red Hat, Inc. Virtio SCSI",
    ..DISK
};

const BALLOON: Device = Device {
    subsystem: (0x1af4, 0x0005),
    class_name: "Unclassified device [00ff]",
    name: "Red Hat, Inc. Virtio memory balloon",
    subsystem_name: "Red Hat, Inc. Virtio memory balloon",
    ..Device { slot: "00:05.0", class: 0x00_ff00, device: 0x1002, ..NETWORK }
};

/// The board of `pc`, of 1996.
const I440: &[Device] = &[
    Device {
        revision: 2,
        class_name: "Host bridge",
        name: "Intel Corporation 440FX - 82441FX PMC [Natoma]",
        subsystem_name: "Red Hat, Inc. Qemu virtual machine",
        ..device("00:00.0", 0x06_0000, 0x8086, 0x1237)
    },
    Device {
        class_name: "ISA bridge",
        name: "Intel Corporation 82371SB PIIX3 ISA [Natoma/Triton II]",
        subsystem_name: "Red Hat, Inc. Qemu virtual machine",
        ..device("00:01.0", 0x06_0100, 0x8086, 0x7000)
    },
    Device {
        class_name: "IDE interface",
        name: "Intel Corporation 82371SB PIIX3 IDE [Natoma/Triton II]",
        subsystem_name: "Red Hat, Inc. Qemu virtual machine",
        driver: "ata_piix",
        modules: "ata_piix, ata_generic",
        ..device("00:01.1", 0x01_0180, 0x8086, 0x7010)
    },
    Device {
        revision: 1,
        interrupt: 11,
        class_name: "USB controller",
        name: "Intel Corporation 82371SB PIIX3 USB [Natoma/Triton II]",
        driver: "uhci_hcd",
        modules: "uhci_hcd",
        ..device("00:01.2", 0x0c_0300, 0x8086, 0x7020)
    },
    Device {
        revision: 3,
        interrupt: 9,
        class_name: "Bridge",
        name: "Intel Corporation 82371AB/EB/MB PIIX4 ACPI",
        subsystem_name: "Red Hat, Inc. Qemu virtual machine",
        driver: "piix4_smbus",
        modules: "i2c_piix4",
        ..device("00:01.3", 0x06_8000, 0x8086, 0x7113)
    },
    Device { slot: "00:02.0", ..VGA },
];

/// The board of `q35`, of 2009: what comes first and what comes last.
const Q35: [&[Device]; 2] = [
    &[
        Device {
            class_name: "Host bridge",
            name: "Intel Corporation 82G33/G31/P35/P31 Express DRAM Controller",
            ..device("00:00.0", 0x06_0000, 0x8086, 0x29c0)
        },
        VGA,
        Device {
            class_name: "PCI bridge",
            name: "Red Hat, Inc. QEMU PCIe Root port",
            subsystem_name: "Red Hat, Inc. QEMU PCIe Root port",
            interrupt: 10,
            driver: "pcieport",
            ..device("00:02.0", 0x06_0400, 0x1b36, 0x000c)
        },
    ],
    &[
        Device {
            revision: 2,
            class_name: "ISA bridge",
            name: "Intel Corporation 82801IB (ICH9) LPC Interface Controller",
            driver: "lpc_ich",
            modules: "lpc_ich",
            ..device("00:1f.0", 0x06_0100, 0x8086, 0x2918)
        },
        Device {
            revision: 2,
            interrupt: 16,
            class_name: "SATA controller",
            name: "Intel Corporation 82801IR/IO/IH (ICH9R/DO/DH) 6 port SATA Controller [AHCI mode]",
            driver: "ahci",
            modules: "ahci",
            ..device("00:1f.2", 0x01_0601, 0x8086, 0x2922)
        },
        Device {
            revision: 2,
            interrupt: 16,
            class_name: "SMBus",
            name: "Intel Corporation 82801I (ICH9 Family) SMBus Controller",
            driver: "i801_smbus",
            modules: "i2c_i801",
            ..device("00:1f.3", 0x0c_0500, 0x8086, 0x2930)
        },
    ],
];

/// Every device of the machine, by slot.
pub(crate) fn devices(identity: &Identity) -> Vec<Device> {
    let is_q35 = identity.platform.product.contains("Q35");
    let disk = if identity.disk.starts_with("vd") { DISK } else { SCSI };
    // Where the network card sits follows from the interface's name (systemd.net-naming-scheme(7)).
    let network = match identity.interface {
        "ens18" => Device { slot: "00:12.0", ..NETWORK },
        "enp1s0" => Device {
            slot: "01:00.0",
            device: 0x1041,
            subsystem: QEMU,
            revision: 1,
            name: "Red Hat, Inc. Virtio 1.0 network device",
            subsystem_name: QEMU_MACHINE,
            ..NETWORK
        },
        "enp6s18" => Device { slot: "06:12.0", ..NETWORK },
        _ => NETWORK,
    };
    let guests = [network, disk, BALLOON];
    let [first, last] = if is_q35 { Q35 } else { [I440, &[]] };
    let mut all: Vec<Device> = first.iter().chain(&guests).chain(last).copied().collect();
    all.sort_by_key(|device| device.slot);
    all
}

/// `/proc/bus/pci/devices`.
pub(crate) fn table(identity: &Identity) -> String {
    let number = |text: &str| u32::from_str_radix(text, 16).unwrap_or(0);
    let mut text = String::new();
    for device in devices(identity) {
        let (bus, rest) = device.slot.split_once(':').unwrap_or(("00", device.slot));
        let (slot, function) = rest.split_once('.').unwrap_or((rest, "0"));
        let place = number(bus) << 8 | number(slot) << 3 | number(function);
        text += &format!("{place:04x}\t{:04x}{:04x}\t{:x}", device.vendor, device.device, device.interrupt);
        let base = 0xc000 + (place & 0xff) * 0x20;
        for at in 0..14 {
            let value = if at == 0 && device.driver.starts_with("virtio") { base + 1 } else { 0 };
            text += &format!("\t{value:>16x}");
        }
        text += &format!("\t{}\n", device.driver);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn the_board_is_the_one_that_the_firmware_names() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        for number in 0..30_u32 {
            let identity = Identity::draw(&number.to_be_bytes(), now, None, None);
            let all = devices(&identity);
            let has = |name: &str| all.iter().any(|device| device.name.contains(name));
            let is_q35 = identity.platform.product.contains("Q35");
            assert_eq!((has("440FX"), has("ICH9")), (!is_q35, is_q35), "{}", identity.platform.product);
            assert_eq!(has("Virtio SCSI"), identity.disk.starts_with("sd"));
            let slots: std::collections::BTreeSet<&str> = all.iter().map(|device| device.slot).collect();
            assert_eq!(slots.len(), all.len());
            assert_eq!(table(&identity).lines().count(), all.len());
        }
    }
}
