import Agent
import Foundation
import Testing

@testable import KubeObjects

/// deploy/kustomize/base/rbac.yaml grants what the agent asks for, and nothing else.
struct RightsTests {
    private static var rules: [String: Set<String>] {
        get throws {
            let root = URL(filePath: #filePath).appending(path: "../../../..").standardized
            let text = try String(contentsOf: root.appending(path: "deploy/kustomize/base/rbac.yaml"), encoding: .utf8)
            var rules: [String: Set<String>] = [:]
            for rule in text.matches(
                of: /apiGroups: \["?([a-z0-9.]*)"?\]\n  resources: \[([^\]]*)\]\n  verbs: \[([^\]]*)\]/)
            {
                #expect(rule.3 == "list, watch")
                rules[String(rule.1)] = Set(rule.2.split(separator: ", ").map(String.init))
            }
            return rules
        }
    }

    @Test("every kind that is followed may be listed and watched; there is no other right")
    func complete() throws {
        var wanted = ["apiextensions.k8s.io": Set(["customresourcedefinitions"])]
        for place in ObjectKind.allCases.flatMap(\.places) { wanted[place.group, default: []].insert(place.plural) }
        #expect(try Self.rules == wanted)
    }
}
