public import NetTypes

extension NodeDatapath {
    /// The interfaces that an earlier process of this instance had programmed, with what it let pass from each; empty once the
    /// first apply has claimed them. They were enforced before, whatever the agent knows of them now.
    public var adoptedInterfaces: [UInt32: [IPAddress]] {
        guard endpoints.isEmpty else { return [:] }
        let slots = Dictionary(adopted.values.map { ($0.ifindex, $0.addresses) }) { first, _ in first }
        // A pod's slot names the first of its interfaces only. One without a program may be another interface by now.
        let hooked = Set(attachments.hooks.map(\.ifindex)).subtracting(uplinks)
        let own = hooked.compactMap { hook in slots[hook].map { (hook, $0) } }
        return Dictionary(own + inherited.interfaces.map { ($0, $1) } + hooked.map { ($0, []) }) { first, _ in first }
    }
}
