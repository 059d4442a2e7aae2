public import PolicyAPI

/// Turns policy objects into rules with explicit scope, defaults and references. Independent of pods: a policy has the same
/// meaning whatever pods exist. Only `toServices` and CIDR groups depend on other objects (services and their endpoint
/// slices, CiliumCIDRGroups).
public enum PolicyLowering {
    /// The purpose of lowered policies.
    public enum Purpose: Sendable {
        /// To decide flows with the reference evaluator, which supports every policy.
        case evaluation
        /// To be loaded into the kernel. A policy that it cannot enforce, such as a host policy with names, is refused with an
        /// error, and the pods that the object's other rules select are isolated.
        case enforcement
    }

    /// The rules of every policy among the objects. Each policy is lowered independently.
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
