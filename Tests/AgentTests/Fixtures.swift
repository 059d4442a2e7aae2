import BPFEmit
import Foundation
import NetTypes
import PolicyAPI
import PolicyIR

@testable import Agent

/// Objects and snapshots that the tests of the agent share.
enum Fixtures {
    static func pod(_ name: String, _ address: String?, uid: String = "", node: String = "", phase: String = "Running")
        -> Pod
    {
        Pod(
            metadata: ObjectMeta(name: name, namespace: "shop", labels: ["app": name], uid: uid), nodeName: node,
            addresses: address.map { [self.address($0)] } ?? [], phase: phase)
    }

    static func address(_ text: String) -> IPAddress { IPAddress(parsing: text) ?? IPAddress(ipv4: 0) }

    static func policy(_ name: String, app: String, file: String = "a.yaml", line: Int = 1, directions: Set<Direction>)
        -> ClusterObject
    {
        let place = SourceLocation(file: file, line: line, column: 1)
        return .networkPolicy(
            NetworkPolicy(
                metadata: ObjectMeta(name: name, namespace: "shop", location: place),
                podSelector: LabelSelector([LabelRequirement(key: "app", operator: .isIn, values: [app])]),
                policyTypes: directions, ingress: [], egress: []))
    }

    static func isolating(_ object: ClusterObject) -> [LoweredPolicy] {
        var objects = ClusterObjects()
        objects.append(object)
        return PolicyLowering.lower(objects).policies
    }

    static func refused(_ name: String, isolating: ClusterObject? = nil) -> RefusedObject {
        RefusedObject(
            key: ObjectKey(kind: "NetworkPolicy", namespace: "shop", name: name),
            origin: .manifest(SourceLocation(file: "a.yaml", line: 1, column: 1)),
            diagnostics: [
                Diagnostic(
                    id: .unknownField, location: SourceLocation(file: "a.yaml", line: 3, column: 5),
                    path: "spec.ingress[0].prots", message: "unknown field", hint: "did you mean ports?")
            ],
            isolating: isolating.map(Fixtures.isolating) ?? [])
    }

    /// Settings of an agent of a folder on `node-1`.
    static func settings(
        onRefused: RefusedPolicy = .isolate, unknown: UnknownNamespaces? = nil, debounce: Int = 50
    ) -> AgentState.Settings {
        .init(
            binding: .init(node: "node-1", source: .folder, unknown: unknown), onRefused: onRefused, debounce: debounce)
    }

    /// A host with veths into mounted namespaces, each with an address inside.
    static func host(_ veths: [(ifindex: UInt32, address: String)], own: [String] = []) -> HostEvidence {
        var evidence = HostEvidence(host: HostIdentity(bootID: "boot-1", namespace: 1), addresses: own.map(address))
        for (ifindex, inside) in veths {
            let inode = UInt64(100 + ifindex)
            evidence.links.append(
                HostLink(
                    ifindex: ifindex, name: "np\(ifindex)", mac: "", kind: "veth", peerIndex: 2, namespace: inode))
            evidence.namespaces.append(
                NamespaceEvidence(
                    inode: inode, path: "/run/netns/n\(ifindex)", name: "n\(ifindex)", isMounted: true,
                    interfaces: [
                        .init(
                            name: "eth0", index: 2, kind: "veth", reach: .node(ifindex: ifindex),
                            addresses: [address(inside)])
                    ]))
        }
        return evidence
    }

    /// A report in which each pod of the namespace `shop` is programmed.
    static func report(_ pods: String...) -> ApplyReport {
        report(pods.map { EndpointKey(namespace: "shop", name: $0) })
    }

    static func report(_ keys: [EndpointKey]) -> ApplyReport {
        var report = ApplyReport()
        report.endpoints = keys.enumerated().map {
            ApplyReport.Endpoint(key: $1, slot: UInt32($0), revision: 1, attachment: .tcx)
        }
        report.programsLoaded = 1
        report.entriesChanged = 1
        return report
    }
}

extension Fixtures {
    static func verdict(isDrop: Bool = true) -> FlowVerdict {
        FlowVerdict(
            timeMilliseconds: 1000, isDrop: isDrop, direction: "ingress", subject: "shop/db",
            source: .init(address: "10.0.0.1", port: 4311, pod: "shop/web", identity: nil),
            destination: .init(address: "10.0.0.2", port: 5432, pod: "shop/db", identity: nil), protocol: "TCP",
            icmpType: nil, reason: "NP_DROP_POLICY_DEFAULT",
            sentence: "a policy isolates the pod and no rule allows the flow", rule: nil,
            isolatedBy: [.init(object: "NetworkPolicy shop/db", path: "", place: "a.yaml:1:1")],
            nearestMiss: "NetworkPolicy shop/db spec.ingress[0] (a.yaml:9:5): port 5432 is not in 80", revision: 3,
            length: 60)
    }
}
