import CNetpoldABI
import Support

/// What an instance finds pinned when it starts: its own folder, made if it is not there, and those of other versions.
struct InstanceFolders {
    /// Keeps other processes of this version away.
    let lock: FileLock
    /// What is to be taken over.
    let others: [OtherVersion]

    /// Makes and locks the folders, and puts the maps that both versions can use into the own one.
    ///
    /// - Throws: `EWOULDBLOCK` when another process uses the instance, whatever its version.
    init(_ pins: PinPath, _ options: DatapathOptions) throws(BPFError) {
        let object = try BPFObject(bytes: options.object)
        let declared = object.mapLayouts
        try pins.create()
        if try InstanceFolders.mustMove(pins, object, declared) {
            // The lock goes with the folder: two processes do not move it at once.
            let held = try Libbpf.lock(folder: pins.folder)
            try pins.setAside()
            withExtendedLifetime(held) {}
            try pins.create()
        }
        lock = try Libbpf.lock(folder: pins.folder)
        let own = try DatapathMaps.layouts()
        var others: [OtherVersion] = []
        for folder in try pins.others() {
            others.append(try OtherVersion(folder: folder, own: own, declared: declared))
        }
        self.others = others
        for other in others { try InstanceFolders.share(other, pins, object) }
    }

    /// Whether maps pinned under this version cannot be worked with: made by a program whose limits were lower, or whose
    /// fields lay elsewhere in records of the same size.
    private static func mustMove(
        _ pins: PinPath, _ object: BPFObject, _ declared: [String: MapLayout]
    ) throws(BPFError) -> Bool {
        for (name, shape) in object.declaredMaps {
            guard let pinned = try Libbpf.openPin("\(pins.folder)/\(name)") else { continue }
            let layout = try OtherVersion.layout(of: pinned, name)
            let found = try BPFMap(pinned, name: name).shape
            // Another shape under the same version is a fault of a build, and refused when the object is loaded.
            guard shape.differences(from: found).isEmpty else { continue }
            if let layout, let own = declared[name], layout != own { return true }
            if found.capacity < DatapathMaps.leastCapacity(of: name, declared: shape.capacity) { return true }
        }
        return false
    }

    /// Pins maps of another version's in the own folder as well, where the programs of both can use them.
    private static func share(_ other: OtherVersion, _ pins: PinPath, _ object: BPFObject) throws(BPFError) {
        for (name, shape) in object.declaredMaps where other.identical.contains(name) {
            guard CarriedMap.all[name]?.isShared == true, let map = other.maps[name],
                shape.differences(from: map.shape).isEmpty,
                map.shape.capacity >= DatapathMaps.leastCapacity(of: name, declared: shape.capacity),
                try Libbpf.openPin("\(pins.folder)/\(name)") == nil
            else { continue }
            try Libbpf.pin(map.fd, name, at: "\(pins.folder)/\(name)")
        }
    }
}
