/// Turns policy objects into rules with all scoping, defaults and references written out. Needs no pods: a policy means the
/// same whichever pods exist. Only `toServices` and CIDR groups look at other objects
/// (services and their endpoint slices, CiliumCIDRGroups).
public enum PolicyLowering {
    /// The rules of every policy among the objects. Each policy is lowered by itself.
    public static func lower(_ objects: ClusterObjects) -> LoweredPolicies {
        var result = LoweredPolicies()
        result.policies.reserveCapacity(objects.networkPolicies.count + objects.ciliumPolicies.count)
        for policy in objects.networkPolicies {
            result.policies.append(lower(policy))
        }
        let directory = CiliumDirectory(objects)
        for policy in objects.ciliumPolicies {
            let lowered = CiliumLowering.lower(policy, directory)
            result.policies += lowered.policies
            result.diagnostics += lowered.diagnostics
        }
        return result
    }
}
