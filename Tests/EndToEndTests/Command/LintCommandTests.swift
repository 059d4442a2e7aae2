import Foundation
import PolicyAPI
import Testing

@Suite("netpold lint")
struct LintCommandTests {
    private static let warned = """
        apiVersion: cilium.io/v2
        kind: CiliumNetworkPolicy
        metadata: {name: web, namespace: shop}
        spec:
          endpointSelector: {}
          ingress:
            - {}
        """

    @Test("Exit codes: 0 without diagnostics or with notes, 1 with warnings, 2 with errors; the last line counts")
    func exitCodes() throws {
        let clean = try BuiltNetpold.run(["lint", "-"], input: "apiVersion: v1\nkind: Pod\nmetadata: {name: a}")
        #expect(clean.code == 0 && clean.output.isEmpty)
        #expect(clean.errors == "1 file, 1 object, 0 errors, 0 warnings\n")
        let warned = try BuiltNetpold.run(["lint", "-f", "-"], input: Self.warned)
        #expect(warned.code == 1)
        #expect(warned.output.hasPrefix("-:7:7: warning: spec.ingress[0]: the element {} selects no peer"))
        #expect(warned.output.hasSuffix("[empty-element]\n"))
        #expect(warned.errors == "1 file, 1 object, 0 errors, 1 warning\n")
        let wrong = try BuiltNetpold.run(["lint", "-"], input: Self.warned + "\n  egres: []")
        #expect(wrong.code == 2 && wrong.errors.contains("1 error,"))
        let noted = try BuiltNetpold.run(
            ["lint", "-"],
            input: Self.warned.replacingOccurrences(of: "{}\n", with: "{}\n", options: .backwards)
                .replacingOccurrences(of: "- {}", with: "- fromEntities: [kube-apiserver]"))
        #expect(noted.code == 0 && noted.errors.hasSuffix("0 warnings, 1 note\n"))
    }

    @Test("What is allowed is left out; errors never are")
    func allow() throws {
        let run = try BuiltNetpold.run(["lint", "-", "--allow", "empty-element"], input: Self.warned)
        #expect(run.code == 0 && run.output.isEmpty)
        let wrong = try BuiltNetpold.run(
            ["lint", "-", "--allow", "unknown-field", "--allow", "empty-element"], input: Self.warned + "\n  egres: []")
        #expect(wrong.code == 2)
    }

    @Test(
        "JSON and SARIF are whole documents on standard output, with and without diagnostics",
        arguments: ["json", "sarif"])
    func formats(_ format: String) throws {
        for input in [Self.warned, "apiVersion: v1\nkind: Pod\nmetadata: {name: a}"] {
            let run = try BuiltNetpold.run(["lint", "-", "--format", format], input: input)
            let value = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
            #expect(value?["version"] != nil)
            #expect(run.errors.hasPrefix("1 file, 1 object"))
        }
    }

    @Test("--explain prints an entry of the catalogue; a wrong id gets the nearest one")
    func explain() throws {
        let run = try BuiltNetpold.run(["lint", "--explain", "empty-element"])
        #expect(run.code == 0 && run.output.hasPrefix("empty-element (warning): ") && run.output.contains("Fixed:"))
        let wrong = try BuiltNetpold.run(["lint", "--explain", "empty-elment"])
        #expect(wrong.code == 2 && wrong.errors.contains("did you mean empty-element?"))
        #expect(try BuiltNetpold.run(["lint"]).code == 2)
    }
}

@Suite("netpold lint of a big folder")
struct LintFolderTests {
    @Test("A generated repository without mistakes is read whole and nothing is found in it")
    func generated() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "netpold-lint-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appending(path: "scripts/generate-manifests.sh")
        let process = try Process.run(script, arguments: [folder.path(), "200"])
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        let run = try BuiltNetpold.run(["lint", folder.path()])
        #expect(run.output == "")
        #expect(run.errors == "200 files, 1210 objects, 0 errors, 0 warnings\n")
        #expect(run.code == 0)
    }
}
