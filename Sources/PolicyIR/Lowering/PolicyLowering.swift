public import PolicyAPI

/// Turns policy objects into rules with all scoping, defaults and references written out. Needs no pods: a policy means the
/// same whichever pods exist. Only `toServices` and CIDR groups look at other objects
/// (services and their endpoint slices, CiliumCIDRGroups).
public enum PolicyLowering {
    /// What lowered policies are for.
    public enum Purpose: Sendable {
        /// To decide flows with the reference evaluator, which knows everything that can be said.
        case evaluation
        /// To be loaded into the kernel. A policy that it cannot enforce, as a host policy, is refused: an error, and the pods
        /// that the object's other rules select are isolated.
        case enforcement
    }

    /// The rules of every policy among the objects. Each policy is lowered by itself.
    public static func lower(_ objects: ClusterObjects, for purpose: Purpose = .evaluation) -> LoweredPolicies {
        var result = LoweredPolicies()
        result.policies.reserveCapacity(
            objects.networkPolicies.count + objects.clusterPolicies.count + objects.ciliumPolicies.count)
        for policy in objects.networkPolicies {
            result.policies.append(lower(policy))
        }
        for policy in objects.clusterPolicies {
            result.policies.append(lower(policy))
        }
        let directory = CiliumDirectory(objects)
        for policy in objects.ciliumPolicies {
            let lowered = CiliumLowering.lower(policy, directory, for: purpose)
            result.policies += lowered.policies
            result.diagnostics += lowered.diagnostics
        }
        return result
    }
}
