import Agent
import Foundation
import Testing

@testable import KubeObjects

/// deploy/kustomize/base/rbac.yaml grants what the agent asks for, and nothing else.
struct RightsTests {
    /// The resources of a file's rules by group, all of them with these verbs.
    private static func rules(_ file: String, verbs: [String: String] = [:]) throws -> [String: Set<String>] {
        let root = URL(filePath: #filePath).appending(path: "../../../..").standardized
        let text = try String(contentsOf: root.appending(path: file), encoding: .utf8)
        var rules: [String: Set<String>] = [:]
        for rule in text.matches(
            of: /apiGroups: \["?([a-z0-9.]*)"?\]\n  resources: \[([^\]]*)\]\n  verbs: \[([^\]]*)\]/)
        {
            #expect(rule.3 == verbs[String(rule.1), default: "list, watch"])
            rules[String(rule.1)] = Set(rule.2.split(separator: ", ").map(String.init))
        }
        return rules
    }

    @Test("the writer of statuses may write those, make Events and hold its lease, and nothing else")
    func status() throws {
        let verbs = ["cilium.io": "patch", "": "create", "coordination.k8s.io": "create"]
        let wanted: [String: Set<String>] = [
            "cilium.io": ["ciliumnetworkpolicies/status", "ciliumclusterwidenetworkpolicies/status"],
            "": ["events"], "coordination.k8s.io": ["leases"],
        ]
        let file = "deploy/rbac-status.yaml"
        #expect(try Self.rules(file, verbs: verbs) == wanted)
        // Of the namespace's Leases only its own: others are those of the cluster's leaders.
        let text = try String(
            contentsOf: URL(filePath: #filePath).appending(path: "../../../../\(file)").standardized, encoding: .utf8)
        let own = "  resources: [leases]\n  resourceNames: [netpold-policy-status]\n  verbs: [get, update]\n"
        #expect(text.contains(own) && text.matches(of: /verbs:/).count == wanted.count + 1)
        let written = ObjectKind.allCases.filter(\.hasValidCondition).flatMap(\.places).map { "\($0.plural)/status" }
        #expect(Set(written) == wanted["cilium.io"])
    }

    @Test("who writes how nodes stand may write Leases where there are no others, and nothing else")
    func nodeStatus() throws {
        let file = "deploy/rbac-node-status.yaml"
        #expect(
            try Self.rules(file, verbs: ["coordination.k8s.io": "get, create, update"])
                == ["coordination.k8s.io": ["leases"]])
        let text = try String(
            contentsOf: URL(filePath: #filePath).appending(path: "../../../../\(file)").standardized, encoding: .utf8)
        #expect(text.contains("kind: Role\n") && !text.contains("ClusterRole"))
        #expect(text.contains("namespace: \(NodeStatusWriter.Settings(node: "a").namespace)\nrules:"))
    }

    @Test("every kind that is followed may be listed and watched; there is no other right")
    func complete() throws {
        var wanted = ["apiextensions.k8s.io": Set(["customresourcedefinitions"])]
        for place in ObjectKind.allCases.flatMap(\.places) { wanted[place.group, default: []].insert(place.plural) }
        #expect(try Self.rules("deploy/kustomize/base/rbac.yaml") == wanted)
    }
}
