import BPFEmit
import NetTypes
import PolicyAPI

/// Changes of one object, compiled in place.
extension CompileBench {
    private static let changes = 200

    func measureChanges(
        _ workload: CompileWorkload, _ labels: CompileWorkload.Labels, _ found: (Finding) -> Void
    ) {
        measurePods(workload, labels, found)
        measurePolicies(workload, found)
        measureNamespaces(workload, found)
    }

    private func measurePods(
        _ workload: CompileWorkload, _ labels: CompileWorkload.Labels, _ found: (Finding) -> Void
    ) {
        var state = Self.state(workload)
        var times: (known: [UInt64], knownHeld: [UInt64], new: [UInt64], newHeld: [UInt64], gone: [UInt64])
        times = ([], [], [], [], [])
        for number in 0..<Self.changes {
            let known = Self.pod(number, labels)
            var new = known
            new.metadata.labels["id"] = "\(number)"
            times.known.append(
                ThreadCPU.time { _ = state.apply([.upsert(.pod(Self.renamed(known, "known", 0x0aff_0000)))]) })
            times.knownHeld.append(timeHeld(&state, .upsert(.pod(Self.renamed(known, "held", 0x0afe_0000)))))
            times.new.append(ThreadCPU.time { _ = state.apply([.upsert(.pod(Self.renamed(new, "new", 0x0afd_0000)))]) })
            new.metadata.labels["id"] = "held-\(number)"
            times.newHeld.append(timeHeld(&state, .upsert(.pod(Self.renamed(new, "more", 0x0afc_0000)))))
        }
        for number in 0..<Self.changes {
            let key = ClusterObject.Key(kind: "Pod", namespace: "team-\(number % 100)", name: "new-\(number)")
            times.gone.append(ThreadCPU.time { _ = state.apply([.delete(key)]) })
        }
        report("one new pod, labels known", times.known, target: 50, found)
        report("  the same, images handed out before and after", times.knownHeld, target: nil, found)
        report("one new pod, labels new", times.new, target: 50, found)
        report("  the same, images handed out before and after", times.newHeld, target: nil, found)
        report("one pod less, labels with it", times.gone, target: nil, found)
    }

    private static func pod(_ number: Int, _ labels: CompileWorkload.Labels) -> Pod {
        var pod = CompileWorkload.pod(number % 100, in: number % 100, .deployments)
        if labels == .unique { pod.metadata.labels["statefulset.kubernetes.io/pod-name"] = "pod-\(number % 100)" }
        pod.metadata.name = "\(number)"
        pod.nodeName = "node-9"
        return pod
    }

    private static func renamed(_ pod: Pod, _ name: String, _ addresses: UInt32) -> Pod {
        var pod = pod
        pod.addresses = [IPAddress(ipv4: addresses + (UInt32(pod.metadata.name) ?? 0))]
        pod.metadata.name = "\(name)-\(pod.metadata.name)"
        return pod
    }

    /// The time of one change when somebody holds the image before it and takes the one after it: lists that change are
    /// copied.
    private func timeHeld(_ state: inout CompilerState, _ change: ObjectChange) -> UInt64 {
        let before = state.image
        var after = before
        let seconds = ThreadCPU.time {
            _ = state.apply([change])
            after = state.image
        }
        withExtendedLifetime((before, after)) {}
        return seconds
    }

    private func measurePolicies(_ workload: CompileWorkload, _ found: (Finding) -> Void) {
        var state = Self.state(workload)
        var times: (replaced: [UInt64], held: [UInt64], prefix: [UInt64], added: [UInt64], gone: [UInt64])
        times = ([], [], [], [], [])
        for number in 0..<Self.changes {
            // Every one selects the local pod of its namespace.
            var policy = workload.objects.networkPolicies[number % 50 * 20 + number / 50]
            policy.ingress[0].ports[0].port = .range(PortRange(UInt16(7000 + number)))
            times.replaced.append(ThreadCPU.time { _ = state.apply([.upsert(.networkPolicy(policy))]) })
            policy.egress[0].peers[0] = .pods(
                namespaces: LabelSelector(),
                pods: LabelSelector([
                    LabelRequirement(key: "version", operator: .isIn, values: ["v1"]),
                    LabelRequirement(key: "app", operator: .notIn, values: ["app-\(number % 20)"]),
                ]))
            times.held.append(timeHeld(&state, .upsert(.networkPolicy(policy))))
            // A prefix that nobody has named yet, around the pods of one namespace.
            if let cidr = IPPrefix(IPAddress(ipv4: 0x0a00_0000 + UInt32(number % 100 * 256)), length: 24) {
                policy.egress[0].peers[1] = .ipBlock(cidr: cidr, except: [])
                times.prefix.append(ThreadCPU.time { _ = state.apply([.upsert(.networkPolicy(policy))]) })
            }
            policy = workload.objects.networkPolicies[number % 50 * 20 + number / 50]
            _ = state.apply([.upsert(.networkPolicy(policy))])
            policy.metadata.name = "more"
            times.added.append(ThreadCPU.time { _ = state.apply([.upsert(.networkPolicy(policy))]) })
            times.gone.append(ThreadCPU.time { _ = state.apply([.delete(ClusterObject.networkPolicy(policy).key)]) })
        }
        report("one policy replaced: ports", times.replaced, target: 2000, found)
        report("one policy replaced: a new selector, images handed out", times.held, target: 2000, found)
        report("one policy replaced: a new prefix, 100 pods in it", times.prefix, target: 2000, found)
        report("one policy added", times.added, target: 2000, found)
        report("one policy deleted", times.gone, target: 2000, found)
        var everywhere: [UInt64] = []
        for number in 0..<10 {
            let policy = ClusterPolicy(
                metadata: ObjectMeta(name: "all"), kind: .clusterNetworkPolicy, tier: .admin, priority: 1,
                subject: PodSelection(namespaces: LabelSelector(), pods: LabelSelector()),
                ingress: [
                    ClusterPolicyRule(
                        name: "", action: .deny,
                        peers: [.pods(PodSelection(namespaces: LabelSelector(), pods: LabelSelector()))],
                        ports: [.range(.tcp, PortRange(UInt16(100 + number)))], path: "spec.ingress[0]")
                ], egress: [])
            everywhere.append(ThreadCPU.time { _ = state.apply([.upsert(.clusterPolicy(policy))]) })
        }
        report("one policy replaced that selects all 50 local pods", everywhere, target: nil, found)
    }

    private func measureNamespaces(_ workload: CompileWorkload, _ found: (Finding) -> Void) {
        var state = Self.state(workload)
        var times: (team: [UInt64], stage: [UInt64]) = ([], [])
        for number in 0..<50 {
            var namespace = workload.objects.namespaces[number * 2]
            namespace.metadata.labels["team"] = "other"
            times.team.append(ThreadCPU.time { _ = state.apply([.upsert(.namespace(namespace))]) })
            _ = state.apply([.upsert(.namespace(workload.objects.namespaces[number * 2]))])
            namespace = workload.objects.namespaces[number * 2]
            namespace.metadata.labels["stage"] = "test"
            times.stage.append(ThreadCPU.time { _ = state.apply([.upsert(.namespace(namespace))]) })
            _ = state.apply([.upsert(.namespace(workload.objects.namespaces[number * 2]))])
        }
        report("namespace relabelled, 10 policies ask about it", times.team, target: nil, found)
        report("namespace relabelled, 1,000 policies ask about it", times.stage, target: nil, found)
    }

    private func report(_ name: String, _ times: [UInt64], target: Int?, _ found: (Finding) -> Void) {
        found(
            .measurement(
                .init(name: name, nanoseconds: times.quantile(0.5) ?? 0, unit: .microseconds, target: target)))
    }

    private static func state(_ workload: CompileWorkload) -> CompilerState {
        CompilerState(workload.objects, localNode: CompileWorkload.localNode)
    }
}
