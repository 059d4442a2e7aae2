import Foundation

@testable import Datapath

/// A bpffs of a test's own, in a temporary folder: pins of tests never meet those of an agent.
struct PrivateBPFFilesystem {
    let pins: PinPath

    /// Runs a test with a fresh instance; unmounts afterwards, which drops every pin.
    static func with<Value>(_ body: (PrivateBPFFilesystem) throws -> Value) throws -> Value {
        let root = "/tmp/netpold-bpffs-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        defer {
            umount2(root, Int32(MNT_DETACH))
            rmdir(root)
        }
        return try body(PrivateBPFFilesystem(pins: try PinPath(instance: "test", root: root)))
    }
}
