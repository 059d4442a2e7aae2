import PolicyAPI
import PolicyIR

/// HTTP rules with a method, path or host that no request has.
enum HTTPNeverMatchesCheck: LintCheck {
    static let entry = DiagnosticEntry(
        .httpNeverMatches, .warning,
        title: "An HTTP rule with a method, path or host that no request has",
        reason: """
            Method, path and host are regular expressions (RE2) of the whole value. Methods are upper case, a path begins with `/` and \
            includes the query, a host has no `/`. In a path, `*` does not stand for any text: it repeats the character before it, so \
            `/v1/*` matches /v1 and /v1/, but not /v1/users. Such a rule allows nothing of what is meant, so the requests are denied.
            """,
        fix: """
            Write the method in upper case, the path from its first `/` and with `.*` for any text, and the host alone: `GET|HEAD`, \
            `/v1/.*`, `api\\.example\\.com`.
            """,
        bad: """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              endpointSelector: {matchLabels: {app: web}}
              ingress:
                - toPorts:
                    - ports: [{port: "8080", protocol: TCP}]
                      rules:
                        http:
                          - {method: get, path: "/v1/*"}
                          - {method: GET, path: "healthz"}
            """,
        good: """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              endpointSelector: {matchLabels: {app: web}}
              ingress:
                - toPorts:
                    - ports: [{port: "8080", protocol: TCP}]
                      rules:
                        http:
                          - {method: GET, path: "/v1/.*"}
                          - {method: GET, path: "/healthz"}
            """)

    /// What is wrong with a pattern, and how to fix it.
    private typealias Problem = (message: String, hint: String)

    /// Signs that the author knows regular expressions, so that a `*` is one.
    private static let syntax = Set("\\^$+?()[]{}|")

    static func run(_ cluster: LintCluster, _ report: inout LintReport) {
        for policy in cluster.objects.ciliumPolicies {
            for rule in policy.rules {
                for element in rule.ingress + rule.egress {
                    for entry in element.toPorts.value ?? [] {
                        for http in entry.http.value ?? [] {
                            check(http, PolicyLowering.origin(of: rule, in: policy), &report)
                        }
                    }
                }
            }
        }
    }

    private static func check(_ http: Located<HTTPRule>, _ origin: RuleOrigin, _ report: inout LintReport) {
        let path = alternatives(http.value.path).compactMap(pathProblem).first ?? globProblem(http.value.path)
        let found: [(field: String, problem: Problem?)] = [
            ("method", alternatives(http.value.method).compactMap(methodProblem).first), ("path", path),
            ("host", alternatives(http.value.host).compactMap(hostProblem).first),
        ]
        for (field, problem) in found {
            guard let problem else { continue }
            report.warn(.httpNeverMatches, "\(http.path).\(field)", of: origin, problem.message, problem.hint)
        }
    }

    private static func alternatives(_ pattern: String) -> [PatternAlternatives.Alternative] {
        PatternAlternatives(pattern).all
    }

    private static func methodProblem(_ alternative: PatternAlternatives.Alternative) -> Problem? {
        let wrong = alternative.required.filter { !isOfMethod($0) }
        guard !wrong.isEmpty else { return nil }
        let text = shown(alternative.text)
        guard wrong.allSatisfy({ $0.isASCII && $0.isLetter }) else {
            return ("\"\(text)\" matches no method", "write one such as GET; path and host are fields of their own")
        }
        return ("methods are upper case, so \"\(text)\" matches no request", "write \(text.uppercased())")
    }

    private static func pathProblem(_ alternative: PatternAlternatives.Alternative) -> Problem? {
        // OPTIONS may ask for `*`.
        guard case .character(let first) = alternative.beginning, first != "/", first != "*" else { return nil }
        let text = shown(alternative.text)
        return (
            "a path begins with /, so \"\(text)\" matches no request",
            text.contains("://") ? "write the path alone; the host is a field of its own" : "write \"/\(text)\""
        )
    }

    private static func hostProblem(_ alternative: PatternAlternatives.Alternative) -> Problem? {
        guard alternative.required.contains("/") else { return nil }
        return (
            "a host has no /, so \"\(shown(alternative.text))\" matches no request",
            "write the host alone; the path is a field of its own"
        )
    }

    /// A path that is written like a pattern of file names.
    private static func globProblem(_ pattern: String) -> Problem? {
        guard !pattern.contains(where: syntax.contains), !pattern.contains(".*"),
            let star = pattern.firstIndex(of: "*"), star > pattern.startIndex
        else { return nil }
        let repeated = pattern[pattern.index(before: star)]
        guard repeated == "/" || pattern.index(after: star) == pattern.endIndex else { return nil }
        return (
            "in \"\(shown(pattern))\" the * stands for more of \"\(repeated)\", not for any text",
            "write .* for any text: \"\(shown(pattern.replacing("*", with: ".*")))\""
        )
    }

    /// Whether a method may have a character: those that the proxy accepts.
    private static func isOfMethod(_ character: Character) -> Bool {
        switch character {
        case "A"..."Z", "0"..."9", "-", "_": true
        default: false
        }
    }

    private static func shown(_ text: String) -> String { text.count > 60 ? String(text.prefix(60)) + "..." : text }
}
