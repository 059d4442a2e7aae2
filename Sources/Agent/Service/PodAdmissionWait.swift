import BPFEmit
import PolicyAPI

/// Decides from published snapshots whether a pod that is being made may start. Pure.
struct PodAdmissionWait {
    /// What one look says.
    enum Answer: Hashable {
        /// The pod's policies are in force at each of its interfaces.
        case inForce
        /// Not yet, for this reason.
        case waiting(String)
    }

    let admission: PodAdmission
    /// The generation in which the interfaces were first seen as the pod's. What the kernel holds of it is in force when that
    /// generation is: an endpoint of the same name may be there from the pod's sandbox before.
    private var seen: UInt64?

    init(_ admission: PodAdmission) { self.admission = admission }

    /// Looks at one state of the node.
    mutating func look(at facts: Health.Facts) -> Answer {
        let wanted = Set(admission.interfaces)
        guard !wanted.isEmpty else { return .inForce }
        let found = facts.view.endpoints.filter { !wanted.isDisjoint(with: $0.links.map(\.ifindex)) }
        let bound = Set(found.flatMap { $0.links.map(\.ifindex) })
        guard wanted.isSubset(of: bound) else {
            seen = nil
            return .waiting(missing(facts, wanted.subtracting(bound)))
        }
        for endpoint in found where !(endpoint.isCurrent && isIts(endpoint.pod)) {
            seen = nil
            return .waiting(
                "\(endpoint.links.map(\.name).joined(separator: ", ")) is \(endpoint.pod.qualifiedName)'s for the agent"
            )
        }
        let generation = seen ?? facts.generation
        seen = generation
        guard facts.appliedGeneration >= generation, let report = facts.report else {
            return .waiting("the agent is putting its policies in force")
        }
        for endpoint in found {
            guard let applied = report.endpoints.first(where: { $0.key == endpoint.key }) else {
                return .waiting("\(endpoint.key) is not programmed")
            }
            if let failure = applied.failure { return .waiting(failure) }
        }
        return .inForce
    }

    /// Whether an endpoint is the pod's. It may have another name than the object: `name@net1` in a second network.
    private func isIts(_ pod: Pod) -> Bool {
        var pod = pod
        pod.metadata.name = String(pod.metadata.name.prefix { $0 != "@" })
        return pod.agrees(with: admission.pod)
    }

    /// Why interfaces are not the pod's yet.
    private func missing(_ facts: Health.Facts, _ interfaces: Set<UInt32>) -> String {
        let links = facts.view.stubs.map(\.link) + facts.view.foreign.map(\.link)
        guard let link = links.first(where: { interfaces.contains($0.ifindex) }) else {
            return
                "the agent has not found interface \(interfaces.sorted().map(String.init).joined(separator: ", ")) yet"
        }
        return "the agent has no Pod object of \(admission.pod) for \(link.name) yet"
    }
}
