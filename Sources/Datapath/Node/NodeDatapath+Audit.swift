public import BPFEmit
import Glibc

extension NodeDatapath {
    /// Looks at every hook of the instance as the kernel has it now; sorted by interface. A few system calls a hook.
    public func auditHooks() -> [HookFinding] {
        var findings: [HookFinding] = []
        let wanted = endpointHooks
        for hook in attachments.hooks.union(wanted.keys).sorted(by: {
            ($0.ifindex, $0.direction.rawValue) < ($1.ifindex, $1.direction.rawValue)
        }) {
            let key = wanted[hook]
            guard let problem = problem(at: hook, key) else { continue }
            findings.append(
                HookFinding(ifindex: hook.ifindex, direction: hook.direction, key: key, problem: problem))
        }
        return findings
    }

    private func problem(at hook: Hook, _ key: EndpointKey?) -> HookFinding.Problem? {
        do {
            guard try attachments.programID(at: hook) != nil, let others = try attachments.predecessors(at: hook) else {
                // An interface that is gone needs none.
                let isNeeded = key != nil && attachments.style != .none && exists(hook.ifindex)
                return isNeeded ? .missing : nil
            }
            if key == nil { return .withoutPod }
            return others.isEmpty ? nil : .preceded(by: others)
        } catch {
            return .unreadable("\(error)")
        }
    }

    private func exists(_ ifindex: UInt32) -> Bool {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(IF_NAMESIZE)) { name in
            if_indextoname(ifindex, name.baseAddress) != nil
        }
    }

    /// The hooks that pods of the image need.
    private var endpointHooks: [Hook: EndpointKey] {
        var found: [Hook: EndpointKey] = [:]
        for (key, endpoint) in endpoints {
            for hook in endpoint.links.flatMap(Hook.both(of:)) where hook.ifindex != 0 { found[hook] = key }
        }
        return found
    }
}
