import NetTypes
import PolicyAPI
import PolicyIR

/// A few pods that the policies of an input select, and verdicts of flows between them and an end outside.
struct SampleWorld {
    /// What an answer leaves open.
    enum Openness: Int, Comparable {
        case deny, l7, allow

        static func < (left: Openness, right: Openness) -> Bool { left.rawValue < right.rawValue }
    }

    private var pods: [Pod]
    private let traffic: [(L4Protocol, UInt16)]

    /// The world of some policies: one pod for each subject, as its labels ask.
    init(_ objects: ClusterObjects) {
        let policies = PolicyLowering.lower(objects).policies
        pods = Array(objects.pods.prefix(3))
        for (number, policy) in policies.prefix(5).enumerated() {
            guard var pod = SampleWorld.pod(of: policy.subject) else { continue }
            pod.metadata.name = "sample-\(number)"
            pod.addresses = [IPAddress(ipv4: 0x0a4d_0001 + UInt32(number))]
            pods.append(pod)
        }
        var ports: [(L4Protocol, UInt16)] = [(.tcp, 80), (.udp, 53), (.icmp, 8)]
        for rule in policies.flatMap({ ($0.ingress?.rules ?? []) + ($0.egress?.rules ?? []) }).prefix(4) {
            if case .anyOf(let clauses) = rule.traffic, case .ports(let wanted, let range)? = clauses.first {
                ports.append((wanted, range.first))
            }
        }
        traffic = ports
    }

    /// The answers under the policies of some manifests, including the isolation of refused ones.
    func verdicts(_ decoded: DecodedManifests) -> [Flow: Openness] {
        var now = decoded.objects
        now.pods = pods
        let policies = PolicyLowering.lower(now).policies + PolicyLowering.lowerRefused(decoded.refused)
        let evaluator = ReferenceEvaluator(now, policies: policies)
        let names = pods.map { FlowEnd.pod(namespace: $0.metadata.namespace, name: $0.metadata.name) }
        let ends = names + [.address(IPAddress(ipv4: 0xc000_0201)), .host]
        var result: [Flow: Openness] = [:]
        for from in ends {
            for to in ends {
                for (wanted, port) in traffic {
                    let flow = Flow(from: from, to: to, protocol: wanted, port: port)
                    guard let decision = try? evaluator.decide(flow) else { continue }
                    result[flow] = min(
                        SampleWorld.openness(decision.egress), SampleWorld.openness(decision.ingress))
                }
            }
        }
        return result
    }

    private static func openness(_ side: SideDecision) -> Openness {
        switch side.verdict {
        case .allow: .allow
        case .deny: .deny
        case .l7: .l7
        }
    }

    /// A pod that a subject selects, if its selector only asks for labels that a pod can have.
    private static func pod(of subject: PolicySubject) -> Pod? {
        let selector: LabelSelector
        var meta = ObjectMeta(name: "", namespace: "default")
        switch subject {
        case .pods(.named(let namespace), let pods): (meta.namespace, selector) = (namespace, pods)
        case .pods(.matching, let pods): selector = pods
        case .endpoints(let endpoints): selector = endpoints
        case .nodes: return nil
        }
        for requirement in selector.requirements {
            let value = requirement.values.first ?? "x"
            if requirement.key == "io.kubernetes.pod.namespace" { meta.namespace = value; continue }
            if requirement.operator == .isIn || requirement.operator == .exists {
                meta.labels[requirement.key] = value
            }
        }
        return Pod(metadata: meta)
    }
}
