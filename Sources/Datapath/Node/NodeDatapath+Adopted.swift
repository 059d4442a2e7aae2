public import NetTypes

extension NodeDatapath {
    /// The interfaces that an earlier process of this instance had programmed, with what it let pass from each; empty once the
    /// first apply has claimed them. They were enforced before, whatever the agent knows of them now.
    public var adoptedInterfaces: [UInt32: [IPAddress]] {
        guard endpoints.isEmpty else { return [:] }
        let own = adopted.values.filter { $0.ifindex != 0 }.map { ($0.ifindex, $0.addresses) }
        // A pod's slot names the first of its interfaces only.
        let others = attachments.hooks.map { ($0.ifindex, [IPAddress]()) }
        return Dictionary(own + inherited.interfaces.map { ($0, $1) } + others) { first, _ in first }
    }
}
