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

    /// The rules of every policy among the objects. Each policy is lowered independently, except that those for whose prefixes there is
    /// no room are closed, whatever the purpose is: what is evaluated is what would be enforced.
    ///
    /// - Parameters:
    ///   - objects: the policies, and what they refer to.
    ///   - purpose: what the result is for.
    ///   - prefixLimit: how many prefixes they may name together; `nil`: `PrefixBudget.standard`.
    /// - Returns: the policies, and what was found in them.
    public static func lower(
        _ objects: ClusterObjects, for purpose: Purpose = .evaluation, prefixLimit: Int? = nil
    ) -> LoweredPolicies {
        let result = lower(objects, for: purpose, closed: [:])
        // What cannot be enforced names no prefixes, so for enforcement it is not more.
        guard PolicyMentions.count(result.policies) > prefixLimit ?? PrefixBudget.standard else { return result }
        let closed = PolicyBook(objects, prefixLimit: prefixLimit).withoutRoom
        return closed.isEmpty ? result : lower(objects, for: purpose, closed: closed)
    }

    /// As `lower`, with `closed` in the place of the objects of these keys (`PolicyBook.withoutRoom`).
    public static func lower(
        _ objects: ClusterObjects, for purpose: Purpose, closed: [ClusterObject.Key: LoweredPolicies]
    ) -> LoweredPolicies {
        var result = LoweredPolicies()
        result.policies.reserveCapacity(
            objects.networkPolicies.count + objects.clusterPolicies.count + objects.ciliumPolicies.count)
        func isClosed(_ key: @autoclosure () -> ClusterObject.Key) -> Bool {
            guard !closed.isEmpty, let lowered = closed[key()] else { return false }
            result.policies += lowered.policies
            result.diagnostics += lowered.diagnostics
            return true
        }
        for policy in objects.networkPolicies where !isClosed(ClusterObject.networkPolicy(policy).key) {
            result.policies.append(lower(policy))
        }
        for policy in objects.clusterPolicies where !isClosed(ClusterObject.clusterPolicy(policy).key) {
            result.policies.append(lower(policy))
        }
        let directory = CiliumDirectory(objects)
        for policy in objects.ciliumPolicies where !isClosed(ClusterObject.ciliumPolicy(policy).key) {
            let lowered = CiliumLowering.lower(policy, directory, for: purpose)
            result.policies += lowered.policies
            result.diagnostics += lowered.diagnostics
        }
        return result
    }
}
