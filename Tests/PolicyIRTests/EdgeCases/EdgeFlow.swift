@testable import NetTypes
@testable import PolicyAPI
@testable import PolicyAnalysis
@testable import PolicyIR

/// A flow with its answer in one line: `deny db > ops/web 53/UDP dns: example.com`.
///
/// Ends are pods (`db` is shop/db), addresses, `host` and `remote-node`; traffic is a TCP port, `53/UDP` or `icmp/8`; what
/// follows are further fields of a PolicyTest case in flow style (`http`, `dns`, `sni`, `egress`, `ingress`).
enum EdgeFlow {
    /// The line as an element of a PolicyTest's `cases`; `nil` when it is none.
    static func yaml(_ line: String) -> String? {
        let words = line.split(separator: " ", maxSplits: 5).map(String.init)
        guard words.count >= 5, words[2] == ">", ["allow", "deny"].contains(words[0]) else { return nil }
        let traffic = words[4].split(separator: "/").map(String.init)
        var port = "protocol: TCP, port: \(words[4])"
        if traffic.count == 2 {
            port =
                traffic[0].hasPrefix("icmp")
                ? "protocol: \(traffic[0]), icmpType: \(traffic[1])" : "protocol: \(traffic[1]), port: \(traffic[0])"
        }
        let rest = words.count == 6 ? ", \(words[5])" : ""
        return "- {from: '\(end(words[1]))', to: '\(end(words[3]))', \(port), expect: \(words[0])\(rest)}"
    }

    private static func end(_ text: String) -> String {
        if text == "host" || text == "remote-node" || text.contains("/") || text.hasPrefix("masqueraded:") {
            return text
        }
        return IPAddress(parsing: text) == nil ? "shop/\(text)" : "ip:\(text)"
    }
}

extension Trial {
    /// What does not come out as the trial says, one line each.
    func failures() -> [String] {
        var decoder = ManifestDecoder()
        decoder.add(Array(EdgeCluster.manifests.utf8), file: "cluster.yaml")
        decoder.add(Array(manifests.utf8), file: "policies.yaml")
        let decoded = decoder.finish()

        let yaml = flows.map { EdgeFlow.yaml($0) }
        if let wrong = yaml.firstIndex(of: nil) { return ["\"\(flows[wrong])\" is not a flow"] }
        let named = names.map { "\"\($0.key)\": [\($0.value.map { "\"\($0)\"" }.joined(separator: ", "))]" }
        let text =
            "apiVersion: netpold.dev/v1alpha1\nkind: PolicyTest\nmetadata: {name: t}\nspec:\n"
            + "  names: {\(named.joined(separator: ", "))}\n  cases:\n"
            + yaml.map { "  \($0 ?? "")\n" }.joined()
        let documents = DocumentReader.read(Array(text.utf8), file: "test.yaml")
        let (tests, diagnostics) = PolicyTestDecoder.decode(documents.documents)
        // A row may be about what is refused alone: a test without flows is none.
        guard !tests.isEmpty || flows.isEmpty else {
            return (documents.diagnostics + diagnostics).map { "\($0.path): \($0.message)" } + [text]
        }

        var objects = decoded.objects
        objects.names = tests.first?.names ?? [:]
        let lowered = PolicyLowering.lower(objects)
        let said = decoded.diagnostics + lowered.diagnostics
        func list(_ severity: Diagnostic.Severity) -> [String] {
            said.filter { $0.severity == severity }.map { "\($0.id.rawValue) \($0.path)" }
        }
        var failures: [String] = []
        if list(.error).sorted() != refused.sorted() { failures.append("refused: \(list(.error)), not \(refused)") }
        for warning in warned where !list(.warning).contains(warning) {
            failures.append("warned: \(list(.warning)) without \(warning)")
        }
        guard let test = tests.first else { return failures }
        let evaluator = ReferenceEvaluator(
            objects, policies: lowered.policies + PolicyLowering.lowerRefused(decoded.refused), localNode: "node-1")
        let result = PolicyTestRunner(test, evaluator: evaluator).run(with: evaluator, objects: objects)
        for failure in result.failures {
            failures.append(
                "\(failure.flow): expected \(failure.expected), is \(failure.actual): "
                    + failure.reason.joined(separator: "; "))
        }
        return failures
    }
}
