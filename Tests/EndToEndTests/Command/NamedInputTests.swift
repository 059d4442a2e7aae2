import Foundation
import Testing

/// What is read of paths that somebody names, and what is said where that is nothing.
@Suite("Named input")
struct NamedInputTests {
    static let policy =
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: shop}\n"
        + "spec: {podSelector: {}, policyTypes: [Ingress]}\n"
    private static let refused = policy.replacing(
        "policyTypes", with: "ingress: [{ports: [{port: 70000}]}], policyTypes")
    static let pods = ["web", "db"].map {
        "apiVersion: v1\nkind: Pod\nmetadata: {name: \($0), namespace: shop, labels: {app: \($0)}}\n"
    }.joined(separator: "---\n")

    /// A folder of files, gone with the value.
    final class Tree {
        let path = FileManager.default.temporaryDirectory.appending(path: "named-\(UUID().uuidString)").path()

        init(_ files: [String: String]) throws {
            for (name, text) in files {
                let file = URL(filePath: "\(path)/\(name)")
                try FileManager.default.createDirectory(
                    at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
                try text.write(to: file, atomically: false, encoding: .utf8)
            }
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    @Test("patterns are about what is below the folder that they are of, whichever way it is named")
    func patterns() throws {
        let tree = try Tree([
            "here/pods.yaml": Self.pods, "here/.netpoldignore": "legacy\n", "other/legacy/np.yaml": Self.policy,
            "other/.netpoldignore": "legacy\n", "bad/legacy/np.yaml": Self.refused,
            "here/test.yaml": """
            apiVersion: netpold.dev/v1alpha1
            kind: PolicyTest
            metadata: {name: t}
            spec: {manifests: [., ../bad2], cases: [{from: shop/web, to: shop/db, protocol: TCP, port: 80, expect: deny}]}
            """, "bad2/legacy/np.yaml": Self.policy,
        ])
        defer { withExtendedLifetime(tree) {} }
        let here = "\(tree.path)/here"
        for named in ["../bad2", "\(tree.path)/bad2"] {
            let run = try BuiltNetpold.run(["explain", ".", named, "shop/web", "shop/db", "80"], in: here)
            #expect(run.output.hasPrefix("DENIED"), "\(run)")
        }
        #expect(try BuiltNetpold.run(["lint", ".", "../bad"], in: here).code == 2)
        #expect(try BuiltNetpold.run(["test", "."], in: here).code == 0)
        // What is named itself is read, and a mistyped name of it is said.
        #expect(try BuiltNetpold.run(["lint", ".", "/nowhere/legacy/x.yaml"], in: here).code == 2)
        for named in ["../other/legacy/np.yaml", "../other/legacy", "\(tree.path)/other/legacy/np.yaml"] {
            let run = try BuiltNetpold.run(["explain", ".", "../other", named, "shop/web", "shop/db", "80"], in: here)
            #expect(run.output.hasPrefix("DENIED"), "\(named): \(run)")
        }
        // Below the folder they hold.
        let run = try BuiltNetpold.run(["lint", ".", "../other"], in: here)
        #expect(run.code == 0 && run.errors.contains("did not look into 1 file that --exclude or .netpoldignore names"))
    }

    @Test("a pipe that is named is read once")
    func pipes() throws {
        let tree = try Tree(["np.yaml": Self.policy, "pods.yaml": Self.pods])
        defer { withExtendedLifetime(tree) {} }
        for line in [
            "timeout 30 netpold lint <(cat np.yaml)", "cat np.yaml | timeout 30 netpold lint /dev/stdin",
            "mkfifo f.yaml; cat np.yaml > f.yaml & sleep 0.1; timeout 30 netpold lint f.yaml",
            "timeout 30 netpold explain pods.yaml <(cat np.yaml) shop/web shop/db 80 | grep ^DENIED",
        ] {
            let run = try BuiltNetpold.shell(line, in: tree.path)
            #expect(run.code == 0, "\(line): \(run)")
        }
    }

    @Test("nothing to check is not green, whoever leaves everything out")
    func nothing() throws {
        let tree = try Tree([
            "good/np.yaml": Self.policy, "empty/a.yaml": "# nothing\n", "ignored/np.yaml": Self.policy,
            "ignored/.netpoldignore": "*\n", "shouting/np.YAML": Self.policy, "shouting/pods.yaml": Self.pods,
        ])
        defer { withExtendedLifetime(tree) {} }
        for arguments in [["good", "--exclude", "*.yaml"], ["empty"], ["ignored"]] {
            let run = try BuiltNetpold.run(["lint"] + arguments, in: tree.path)
            #expect(run.code == 1 && run.output.contains("[empty-input]"), "\(run)")
            let compiled = try BuiltNetpold.run(["compile"] + arguments, in: tree.path)
            #expect(compiled.code == 1 && compiled.errors.contains("no object was read"), "\(compiled)")
        }
        let shouting = try BuiltNetpold.run(["lint", "shouting"], in: tree.path)
        #expect(shouting.errors.contains("1 file whose name ends in capitals"), "\(shouting)")
        // What curl gets of an API server that does not let it.
        let status = #"{"apiVersion":"v1","kind":"Status","status":"Failure","message":"forbidden"}"#
        let run = try BuiltNetpold.run(["lint", "-"], input: status)
        #expect(run.code == 2 && run.output.contains("an API server's answer") && run.output.contains("forbidden"))
    }
}
