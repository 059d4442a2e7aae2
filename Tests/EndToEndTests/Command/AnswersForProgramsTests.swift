import Foundation
import Testing

/// What a command prints for programs, and what manifests may print for people.
@Suite("Answers for programs")
struct AnswersForProgramsTests {
    private static func tree(_ more: [String: String] = [:]) throws -> NamedInputTests.Tree {
        let test = """
            apiVersion: netpold.dev/v1alpha1
            kind: PolicyTest
            metadata: {name: t}
            spec:
              manifests: [../good]
              cases: [{from: shop/web, to: shop/db, protocol: TCP, port: 80, expect: deny}]
            """
        return try NamedInputTests.Tree(
            [
                "good/np.yaml": NamedInputTests.policy, "good/pods.yaml": NamedInputTests.pods, "t/test.yaml": test,
                "node/test.yaml": test.replacing("spec:", with: "spec:\n  localNode: nope"),
                "case/test.yaml": test.replacing("to: shop/db", with: "to: shop/dbb"), "none/test.yaml": "",
                "good/node.yaml": "apiVersion: v1\nkind: Node\nmetadata: {name: node-1}\n",
            ].merging(more) { $1 })
    }

    private static func json(_ text: String) -> [String: Any]? {
        (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any]
    }

    @Test(
        "where it fails, standard output has a document that says why",
        arguments: [
            ["compile", "nowhere", "--json"], ["compile", "good", "--endpoint", "shop/wbe", "--json"],
            ["compile", "good", "--endpoint", "shop/wbe", "--emit", "json"],
            ["compile", "good", "--node", "zz", "--json"],
            ["explain", "good", "shop/wbe", "shop/db", "80", "--json"],
            ["status", "--json", "--instance", "nobody-here"],
            ["endpoints", "-o", "json", "--instance", "nobody-here"],
            ["wait", "--policy", "a/b", "--timeout", "0", "--json", "--instance", "nobody-here"],
        ])
    func failure(_ arguments: [String]) throws {
        let tree = try Self.tree()
        defer { withExtendedLifetime(tree) {} }
        let run = try BuiltNetpold.run(arguments, in: tree.path)
        let document = Self.json(run.output)
        #expect(run.code != 0 && document?["version"] as? Int == 1, "\(run)")
        #expect(((document?["error"] as? [String: Any])?["message"] as? String)?.isEmpty == false, "\(run)")
    }

    @Test(
        "with --format standard error is one document, whatever goes wrong",
        arguments: [
            ["compile", "good", "--endpoint", "x/y"], ["compile", "good", "--node", "zz"],
            ["explain", "good", "shop/wbe", "shop/db", "80"],
            ["explain", "good", "shop/web", "shop/db", "80", "--expect", "allow"],
            ["explain", "-f", "nowhere", "shop/web", "shop/db", "80"], ["test", "nowhere"], ["test", "none"],
            ["test", "node"], ["test", "case"], ["test", "linked"],
        ])
    func oneDocument(_ arguments: [String]) throws {
        let tree = try Self.tree()
        defer { withExtendedLifetime(tree) {} }
        try FileManager.default.createDirectory(atPath: "\(tree.path)/linked", withIntermediateDirectories: true)
        for (link, target) in [("t", "../none"), ("test.yaml", "../none/test.yaml")] {
            try FileManager.default.createSymbolicLink(
                atPath: "\(tree.path)/linked/\(link)", withDestinationPath: target)
        }
        let run = try BuiltNetpold.run(arguments + ["--format", "json"], in: tree.path)
        let document = Self.json(run.errors)
        #expect(run.code != 0 && document != nil, "\(run)")
        #expect(((document?["summary"] as? [String: Any])?["errors"] as? Int ?? 0) > 0, "\(run)")
        let sarif = try BuiltNetpold.run(arguments + ["--format", "sarif"], in: tree.path)
        #expect(sarif.errors.contains("\"ruleId\""), "\(sarif)")
    }

    @Test("documents have a version, and a test's say what cannot be run")
    func versions() throws {
        let tree = try Self.tree()
        defer { withExtendedLifetime(tree) {} }
        for arguments in [
            ["compile", "good"], ["explain", "good", "shop/web", "shop/db", "80"], ["lint", "good"], ["test", "t"],
        ] {
            let run = try BuiltNetpold.run(arguments + ["--json"], in: tree.path)
            #expect(Self.json(run.output)?["version"] as? Int == 1, "\(arguments): \(run)")
        }
        // A path that is not there takes nothing from the others.
        let run = try BuiltNetpold.run(["test", "t", "nowhere", "--json", "--junit", "j.xml"], in: tree.path)
        let folders = Self.json(run.output)?["folders"] as? [[String: Any]]
        #expect(run.code == 2 && folders?.map { $0["isUnusable"] as? Bool } == [false, true], "\(run)")
        let error = (folders?.last?["errors"] as? [[String: Any]])?.first
        #expect(error?["id"] as? String == "unreadable" && error?["file"] as? String == "nowhere", "\(run)")
        let xml = try String(contentsOfFile: "\(tree.path)/j.xml", encoding: .utf8)
        #expect(xml.contains(#"<testsuites tests="2" failures="0" errors="1">"#), "\(xml)")
        let text = try BuiltNetpold.run(["test", "nowhere"], in: tree.path)
        #expect(text.code == 2 && text.output.contains("nowhere: error: no such file or folder; check the path"))
    }

    @Test("what manifests and tests say begins no line and speaks to no terminal")
    func escapes() throws {
        let odd = "\\e[31m\\n::error::x"
        let tree = try Self.tree([
            "good/foo.yaml": "apiVersion: x.io/v1\nkind: \"Foo\(odd)\"\nmetadata: {name: a}\n",
            "good/pod.yaml":
                "apiVersion: v1\nkind: Pod\nmetadata: {name: c, namespace: shop}\nspec: {nodeName: \"n\(odd)\"}\n",
            "good/.h\u{1b}\n::error::/a.yaml": "",
            "odd/test.yaml": """
            apiVersion: netpold.dev/v1alpha1
            kind: PolicyTest
            metadata: {name: t}
            spec:
              manifests: [../good]
              cases:
              - {from: "shop/w\(odd)", to: shop/db, protocol: TCP, port: 80, expect: allow}
              - {from: shop/web, to: shop/db, protocol: TCP, port: 80, expect: allow, http: {method: "G\(odd)", path: /}}
            """,
            "place/test.yaml":
                "apiVersion: netpold.dev/v1alpha1\nkind: PolicyTest\nmetadata: {name: t}\nspec: {manifests: [../good], localNode: \"n\(odd)x\"}\n",
        ])
        defer { withExtendedLifetime(tree) {} }
        for arguments in [
            ["lint", "good"], ["compile", "good", "--node", "n\u{1b}[31m\n::error::x"],
            ["compile", "good", "--node", "zz"],
            ["test", "odd"], ["test", "place"], ["explain", "good", "shop/wbe", "shop/db", "80"],
        ] {
            let run = try BuiltNetpold.run(arguments, in: tree.path)
            let text = run.output + run.errors
            #expect(!text.contains("\u{1b}") && !text.contains("\n::error::") && !text.isEmpty, "\(arguments): \(run)")
        }
    }

    @Test("netpold proxy says why the manifests cannot be used before it says that they name no pod")
    func proxy() throws {
        let tree = try Self.tree()
        defer { withExtendedLifetime(tree) {} }
        let run = try BuiltNetpold.run(
            ["proxy", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:1", "-f", "nowhere", "--pod", "shop/web"],
            in: tree.path)
        #expect(run.code == 2 && run.errors.hasPrefix("nowhere: error: no such file or folder"), "\(run)")
        #expect(run.errors.contains("there is no pod shop/web"))
    }
}
