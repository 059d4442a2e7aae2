import Foundation
import Testing

/// The lab through cluster IPs, node ports and external addresses: what is measured is what the policies say.
@Suite("netpold lab through Services", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct ServiceLabTests {
    private static let example = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "examples/services").path()

    private func rows(_ options: [String]) throws -> (run: BuiltNetpold.Run, services: [[String: Any]]) {
        let name = "services-\(UInt32.random(in: 0...UInt32.max))"
        let run = try BuiltNetpold.run(["lab", "-f", Self.example, "--name", name, "--json"] + options)
        let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
        return (run, object?["services"] as? [[String: Any]] ?? [])
    }

    private static var hasNFT: Bool {
        ["/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft"].contains { FileManager.default.isExecutableFile(atPath: $0) }
    }

    @Test("netpold translates: every kind of address and verdict, TCP and UDP, as predicted")
    func translate() throws {
        let (run, services) = try rows(["--services", "translate"])
        #expect(run.code == 0, "\(run.errors)")
        #expect(
            Set(services.compactMap { $0["kind"] as? String })
                == ["cluster IP", "external IP", "load balancer IP", "node port"])
        #expect(Set(services.compactMap { $0["protocol"] as? String }) == ["TCP", "UDP"])
        #expect(Set(services.compactMap { $0["predicted"] as? String }) == ["allow", "deny", "mixed", "rejected"])
        #expect(services.allSatisfy { $0["agrees"] as? Bool == true })
        #expect(services.count > 150)
    }

    @Test(
        "beside rules like kube-proxy's, translated before them or left to them", .enabled(if: hasNFT, "needs nft"),
        arguments: ["translate", "observe"])
    func besideKubeProxy(mode: String) throws {
        let (run, services) = try rows(["--kube-proxy", "--services", mode])
        #expect(run.code == 0, "\(run.errors)")
        #expect(services.count > 100)
        #expect(services.allSatisfy { $0["agrees"] as? Bool == true })
        #expect(services.contains { $0["predicted"] as? String == "deny" })
    }
}
