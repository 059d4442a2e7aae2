import Foundation
import Testing

/// `netpold lab -f examples/l7`: requests, queries, handshakes and connections by name, as the policies say.
@Suite("netpold lab with names and requests", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct L7LabTests {
    private static let example = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "examples/l7").path()

    @Test("every kind of attempt and of outcome, measured as predicted; nothing is left")
    func example() throws {
        let name = "l7-\(UInt32.random(in: 0...UInt32.max))"
        let run = try BuiltNetpold.run(["lab", "-f", Self.example, "--name", name, "--json"])
        #expect(run.code == 0, "\(run.errors)")
        let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
        let requests = object?["requests"] as? [[String: Any]] ?? []
        func outcomes(_ kind: String) -> Set<String> {
            Set(requests.filter { $0["kind"] as? String == kind }.compactMap { $0["predicted"] as? String })
        }
        #expect(outcomes("http") == ["answered", "denied"])
        #expect(outcomes("dns") == ["answered", "denied"])
        #expect(outcomes("sni") == ["answered", "denied"])
        #expect(outcomes("connect") == ["dropped"])
        #expect(outcomes("lookup") == ["answered", "dropped"])
        let differing = requests.filter { $0["agrees"] as? Bool != true }
        #expect(differing.isEmpty, "\(differing.prefix(5))")
        let services = requests.compactMap { $0["to"] as? String }.filter {
            $0.hasPrefix("kube-system/kube-dns cluster IP")
        }
        #expect(services.count > 20)
        #expect(!FileManager.default.fileExists(atPath: "/run/netpold/lab/\(name)"))
    }

    @Test("for people: tables of what was asked, each line at most 80 columns, with what the letters mean")
    func text() throws {
        let name = "l7-\(UInt32.random(in: 0...UInt32.max))"
        let run = try BuiltNetpold.run(["lab", "-f", Self.example, "--name", name])
        for title in ["HTTP requests", "DNS queries", "TLS server names", "Connections by name"] {
            #expect(run.output.contains("\n\(title)\n"))
        }
        #expect(run.output.contains("d denied: 403, REFUSED or reset"))
        let long = run.output.split(separator: "\n").filter { $0.count > 100 }
        #expect(long.isEmpty, "\(long)")
    }
}
