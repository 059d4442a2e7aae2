import Foundation
import Testing

/// What the lab measures is what policies say, whichever way packets take between pods of a node.
@Suite("netpold lab past the stack", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct FastPathLabTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    private func agrees(_ example: String, _ options: [String]) throws -> Bool {
        let name = "fast-\(UInt32.random(in: 0...UInt32.max))"
        let folder = Self.root.appending(path: "examples/\(example)").path()
        let run = try BuiltNetpold.run(["lab", "-f", folder, "--name", name] + options)
        #expect(run.code == 0, "\(run.output)\(run.errors)")
        return run.code == 0
    }

    @Test("plain policies, several nodes, names and HTTP rules", arguments: ["shop", "cluster", "l7"])
    func labs(example: String) throws { #expect(try agrees(example, ["--fast-path", "always"])) }

    @Test(
        "Services, translated at the pods or by rules like kube-proxy's behind them",
        arguments: [["--services", "translate"], ["--kube-proxy", "--services", "observe"]])
    func services(options: [String]) throws {
        for mode in ["always", "auto"] { #expect(try agrees("services", options + ["--fast-path", mode])) }
    }
}
