import Foundation
import PolicyAPI

/// Manifests in a folder of their own, and a lab name nobody else has.
struct LabFixture {
    let folder: String
    let name = "test-\(UInt32.random(in: 0...UInt32.max))"

    /// Two pods; `a` is closed but for TCP 80 from `b`.
    static let small = """
        apiVersion: v1
        kind: Pod
        metadata: {name: a, namespace: x, labels: {app: a}}
        spec: {containers: [{name: c, image: i, ports: [{containerPort: 80}]}]}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: b, namespace: x, labels: {app: b}}
        spec: {containers: [{name: c, image: i}]}
        ---
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: a-from-b, namespace: x}
        spec:
          podSelector: {matchLabels: {app: a}}
          ingress:
          - from: [{podSelector: {matchLabels: {app: b}}}]
            ports: [{port: 80}]
        """

    /// Many pods, so that building them takes a while.
    static func crowd(_ count: Int) -> String {
        (0..<count).map { "{apiVersion: v1, kind: Pod, metadata: {name: p\($0), namespace: x}}" }
            .joined(separator: "\n---\n")
    }

    init(_ manifests: String) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "netpold-lab-\(UUID().uuidString)").path()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try manifests.write(toFile: "\(folder)/all.yaml", atomically: true, encoding: .utf8)
    }

    /// Where the lab lives while it does.
    var labFolder: String { "/run/netpold/lab/\(name)" }

    /// Everything of the lab that is still there: files, mounts, pins, processes.
    var leftovers: [String] {
        var found = [labFolder, "/sys/fs/bpf/netpold/lab-\(name)"].filter { FileManager.default.fileExists(atPath: $0) }
        let mounts = (try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)) ?? ""
        found += mounts.split(separator: "\n").filter { $0.contains(name) }.map(String.init)
        for process in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] where Int(process) != nil {
            let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") ?? Data()
            let text = String(decoding: line, as: UTF8.self)
            if text.contains(name) { found.append("process \(process): \(text)") }
        }
        return found
    }

    /// Waits until a file of the lab is there; false after ten seconds.
    func waits(for path: String) -> Bool {
        for _ in 0..<1000 {
            if FileManager.default.fileExists(atPath: "\(labFolder)/\(path)") { return true }
            usleep(10_000)
        }
        return false
    }

    func remove() {
        _ = try? BuiltNetpold.run(["lab", "--down", "--name", name])
        try? FileManager.default.removeItem(atPath: folder)
    }
}
