import BPFEmit
import CNetpoldABI
import Foundation
import Glibc
import NetTypes

@testable import Datapath

/// A pod `a`, a pod `b` and the outside, with scripts in them that send and receive byte by byte (frames.py). The node's uplink makes no
/// checksums: the kernel makes them on the way out.
final class FrameWorld {
    private static let frames = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "frames.py").path()

    let edge: EdgeNode
    private let source: ScriptProcess
    private var scripts: [ScriptProcess] = []

    init(_ topology: EdgeNode.Topology = .ptp, _ attachment: AttachmentStyle = .automatic) throws {
        edge = try EdgeNode(topology, pods: ["a", "b"])
        edge.options = DatapathOptions(pins: nil, attachment: attachment, flowSets: 1 << 14)
        edge.options.services = .translate
        try edge.run(edge.node, ["/usr/bin/python3", Self.frames, "no-sums", "uplink"])
        source = try ScriptProcess(["source"], in: try edge.pod("a").path, script: Self.frames)
    }

    deinit {
        for script in scripts + [source] { script.end(SIGKILL) }
    }

    func outside(_ v6: Bool) -> String { "\(EdgeNode.address(2, v6: v6, network: 8))" }

    func pod(_ v6: Bool, _ name: String = "a") -> String { "\(edge.address(name, v6: v6))" }

    /// Has pod `a` do something.
    @discardableResult
    func ask(_ command: [String: Any]) throws -> L7World.Answer {
        try JSONDecoder().decode(L7World.Answer.self, from: source.ask(command))
    }

    /// Starts a script outside, or in a pod.
    func script(_ mode: String, _ port: UInt16, in pod: String? = nil) throws -> ScriptProcess {
        let namespace = try pod.map { try edge.pod($0) } ?? edge.outside
        let script = try ScriptProcess([mode, "\(port)"], in: namespace.path, script: Self.frames)
        scripts.append(script)
        try script.waitUntilReady()
        return script
    }

    /// Receives UDP outside.
    func sink(_ port: UInt16) throws -> ScriptProcess { try script("sink", port) }

    /// The datagrams that have come since the last call.
    func received(_ sink: ScriptProcess) throws -> [[UInt8]] {
        let rows = try JSONSerialization.jsonObject(with: sink.ask([:])) as? [[Any]] ?? []
        return rows.compactMap { $0.last as? String }.map { text in
            stride(from: 0, to: text.count, by: 2).compactMap { UInt8(text.dropFirst($0).prefix(2), radix: 16) }
        }
    }

    /// How the next connection of a server has ended: `open` when none has.
    func ended(_ server: ScriptProcess, within seconds: Double = 2) throws -> L7World.Answer {
        try JSONDecoder().decode(L7World.Answer.self, from: server.ask(["seconds": seconds]))
    }

    /// Packets that were dropped for a reason.
    func drops(_ reason: np_reason) throws -> UInt64 { try edge.packetsByReason()[UInt8(reason.rawValue)] ?? 0 }
}
