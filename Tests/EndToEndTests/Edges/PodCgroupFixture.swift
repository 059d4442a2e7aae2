import Foundation
import Glibc

/// A cgroup as the kubelet makes it for a pod, in a hierarchy mounted for the test.
final class PodCgroupFixture {
    let uid: String
    private let mount: String
    private var children: [Process] = []

    private var parent: String { "\(mount)/kubepods/burstable" }
    private var folder: String { "\(parent)/pod\(uid)" }

    init(uid: String) throws {
        self.uid = uid
        mount = FileManager.default.temporaryDirectory.appending(path: "cgroup-\(UUID().uuidString)").path()
        try FileManager.default.createDirectory(atPath: mount, withIntermediateDirectories: true)
        guard Glibc.mount("none", mount, "cgroup2", 0, nil) == 0 else {
            throw PodNetworkError("mount cgroup2: \(errno)")
        }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit {
        for child in children {
            kill(child.processIdentifier, SIGKILL)
            child.waitUntilExit()
        }
        // The kernel keeps a cgroup for a moment after its last process.
        for path in [folder, parent, "\(mount)/kubepods"] {
            for _ in 0..<50 where rmdir(path) != 0 && errno == EBUSY { usleep(10_000) }
        }
        umount2(mount, Int32(MNT_DETACH))
        rmdir(mount)
    }

    /// Starts a process of the pod in a network namespace; it lives as long as this object.
    @discardableResult
    func process(in namespace: String) throws -> Process {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/nsenter")
        process.arguments = ["--net=\(namespace)", "sleep", "600"]
        process.standardInput = FileHandle.nullDevice
        try process.run()
        children.append(process)
        try "\(process.processIdentifier)".write(toFile: "\(folder)/cgroup.procs", atomically: false, encoding: .utf8)
        // Until it is what it is to be.
        for _ in 0..<200 {
            let name = try? String(contentsOfFile: "/proc/\(process.processIdentifier)/comm", encoding: .utf8)
            if name == "sleep\n" { return process }
            usleep(10_000)
        }
        throw PodNetworkError("the process did not start")
    }
}
