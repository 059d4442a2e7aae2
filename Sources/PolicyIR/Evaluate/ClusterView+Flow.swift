public import NetTypes
public import PolicyAPI

extension ClusterView {
    /// The two resolved ends of a flow.
    public struct Ends: Hashable, Sendable {
        /// One end.
        public enum End: Hashable, Sendable {
            /// A pod, at its address of the flow's family if it has one.
            case pod(Pod, IPAddress?)
            /// A node; `nil` for some node other than the subject's.
            case node(String?, IPAddress?)
            /// An address that no object of the cluster owns, or that several claim.
            case outside(IPAddress)
            /// Somebody unknown behind an address of the receiver's node.
            case masqueraded(IPAddress)

            /// Whether nobody can tell who it is, behind the node's address.
            public var isMasqueraded: Bool {
                if case .masqueraded = self { true } else { false }
            }

            /// The pod, if it is one.
            public var pod: Pod? {
                if case .pod(let pod, _) = self { pod } else { nil }
            }
        }

        /// The sender.
        public var from: End
        /// The receiver.
        public var to: End

        /// The end whose policies of this direction apply.
        public subscript(direction: Direction) -> End { direction == .egress ? from : to }

        /// The pod whose policies of this direction apply; `nil` when that end is not a pod.
        public func subject(_ direction: Direction) -> Pod? { self[direction].pod }
    }

    /// Resolves the ends of a flow.
    ///
    /// - Throws: `FlowError` when an end does not exist or the ends have no common address family.
    public func resolve(_ flow: Flow) throws(FlowError) -> Ends {
        let flow = plain(flow)
        let from = try owner(flow.from)
        let to = try owner(flow.to)
        let families = [flow.isIPv4, family(of: flow.from), family(of: flow.to), family(of: flow.protocol)].compactMap(
            \.self)
        guard Set(families).count <= 1 else { throw .mixedFamilies }
        let isIPv4 = families.first ?? defaultFamily(from, to)
        return Ends(from: end(flow.from, from, isIPv4), to: end(flow.to, to, isIPv4))
    }

    /// The other end of a flow as the subject of `direction` sees it.
    public func remote(of ends: Ends, _ direction: Direction) -> RemoteEnd {
        let observer: String
        switch ends[direction] {
        case .pod(let pod, _): observer = node(of: pod)
        // To an unknown node, all named nodes are remote.
        case .node(let name, _): observer = name ?? ""
        case .outside, .masqueraded: observer = localNode
        }
        switch direction == .egress ? ends.to : ends.from {
        case .pod(let pod, let address):
            // What comes from an address that others claim too may be theirs.
            if let address, owner(of: address) == .contested { return remoteEnd(address: address, seenFrom: observer) }
            return remoteEnd(pod: pod, address: address)
        case .node(let name, let address):
            if let address, owner(of: address) == .contested { return remoteEnd(address: address, seenFrom: observer) }
            return remoteEnd(node: name, address: address, seenFrom: observer)
        case .outside(let address): return remoteEnd(address: address, seenFrom: observer)
        case .masqueraded(let address): return remoteEnd(masqueradedAs: address)
        }
    }

    /// The owner of an end; `nil` for some other node.
    private func owner(_ end: FlowEnd) throws(FlowError) -> Owner? {
        switch end {
        case .host: return .node(localNode)
        case .remoteNode: return nil
        case .address(let address): return owner(of: address)
        case .masqueraded: return .outside
        case .service: throw .misplacedService("\(end)")
        case .pod(let namespace, let name):
            guard let pod = pod(namespace, name) else { throw .unknownPod("\(namespace)/\(name)") }
            guard !pod.isFinished else { throw .finishedPod(pod.qualifiedName) }
            return pod.hostNetwork ? .node(node(of: pod)) : .pod(pod)
        }
    }

    private func end(_ written: FlowEnd, _ owner: Owner?, _ isIPv4: Bool?) -> Ends.End {
        if case .masqueraded(let address) = written { return .masqueraded(address) }
        var address: IPAddress?
        if case .address(let exact) = written { address = exact }
        switch owner {
        case .pod(let pod):
            let ofFamily = isIPv4.flatMap { family in pod.addresses.first { $0.isIPv4 == family } }
            return .pod(pod, address ?? ofFamily)
        case .node(let name):
            return .node(name, address ?? isIPv4.flatMap { self.address(ofNode: name, isIPv4: $0) })
        case .outside, .contested:
            return address.map(Ends.End.outside) ?? .node(nil, nil)
        case nil:
            return .node(nil, nil)
        }
    }

    private func family(of end: FlowEnd) -> Bool? {
        switch end {
        case .address(let address), .masqueraded(let address): address.isIPv4
        case .pod, .host, .remoteNode, .service: nil
        }
    }

    /// The pod that sends a flow; `nil` where no pod does.
    ///
    /// - Throws: `FlowError` when there is no such pod.
    public func pod(sending flow: Flow) throws(FlowError) -> Pod? {
        if case .pod(let pod) = try owner(plain(flow).from) { pod } else { nil }
    }

    /// The flow with pods of a namespace called `svc` in the place of Services that are none.
    func plain(_ flow: Flow) -> Flow {
        func plain(_ end: FlowEnd) -> FlowEnd {
            guard case .service(nil, let name) = end, pod("svc", name) != nil else { return end }
            return .pod(namespace: "svc", name: name)
        }
        var flow = flow
        flow.from = plain(flow.from)
        flow.to = plain(flow.to)
        return flow
    }

    /// Whether an end is a pod on the pod network.
    func isPod(_ end: FlowEnd) throws(FlowError) -> Bool {
        if case .pod = try owner(end) { true } else { false }
    }

    /// Whether an end is outside the cluster.
    func isOutside(_ end: FlowEnd) throws(FlowError) -> Bool {
        switch try owner(end) {
        case .outside: true
        case .pod, .node, .contested, nil: false
        }
    }

    /// The node from which a sender's packets to Services are translated; empty for some other node, or one outside.
    func node(ofSender end: FlowEnd) throws(FlowError) -> String {
        switch try owner(end) {
        case .pod(let pod): node(of: pod)
        case .node(let name): name
        case .outside, .contested, nil: ""
        }
    }

    /// The families that a sender has: all where nothing is known of its addresses.
    func families(ofSender end: FlowEnd) throws(FlowError) -> Set<Bool> {
        if let family = family(of: end) { return [family] }
        guard case .pod(let pod) = try owner(end), !pod.addresses.isEmpty else { return [true, false] }
        return Set(pod.addresses.map(\.isIPv4))
    }

    /// Whether packets of a flow may be of either family: nothing that is written says which, and every end of which addresses are
    /// known has both. `false` where none are known, which are not told apart then.
    ///
    /// - Throws: `FlowError` when an end does not exist or is a Service.
    package func mayBeOfBothFamilies(_ flow: Flow) throws(FlowError) -> Bool {
        let flow = plain(flow)
        let owners = [try owner(flow.from), try owner(flow.to)]
        let written = [flow.isIPv4, family(of: flow.from), family(of: flow.to), family(of: flow.protocol)]
        guard written.allSatisfy({ $0 == nil }) else { return false }
        let known = owners.map(families(of:)).filter { !$0.isEmpty }
        return !known.isEmpty && known.allSatisfy { $0.count == 2 }
    }

    /// Whether all addresses that are known of the ends of a flow were generated, of both families, for want of written ones.
    ///
    /// - Throws: `FlowError` when an end does not exist or is a Service.
    package func hasOnlyGeneratedAddresses(_ flow: Flow) throws(FlowError) -> Bool {
        let flow = plain(flow)
        return [try owner(flow.from), try owner(flow.to)].allSatisfy { owner in
            if case .pod(let pod) = owner, pod.isSynthetic { return true }
            return families(of: owner).isEmpty
        }
    }

    /// Whether a flow is of a family of which a pod at one of its ends has no address, though it has others: no packet is of it.
    package func isOfMissingFamily(_ flow: Flow) -> Bool {
        guard let ends = try? resolve(flow) else { return false }
        return [ends.from, ends.to].contains { end in
            guard case .pod(let pod, nil) = end else { return false }
            return !pod.addresses.isEmpty
        }
    }

    /// The families of the known addresses of an end.
    private func families(of owner: Owner?) -> Set<Bool> {
        switch owner {
        case .pod(let pod): Set(pod.addresses.map(\.isIPv4))
        case .node(let name): Set([true, false].filter { address(ofNode: name, isIPv4: $0) != nil })
        case .outside, .contested, nil: []
        }
    }

    private func family(of protocol: L4Protocol) -> Bool? {
        `protocol`.isICMP ? `protocol` == .icmp : nil
    }

    /// IPv4 if both ends have it, else IPv6 if both have it; `nil` when pods without addresses leave it open.
    private func defaultFamily(_ from: Owner?, _ to: Owner?) -> Bool? {
        let pods = [from, to].compactMap { owner in
            if case .pod(let pod) = owner, !pod.addresses.isEmpty { pod } else { nil as Pod? }
        }
        guard !pods.isEmpty else { return nil }
        return [true, false].first { family in
            pods.allSatisfy { $0.addresses.contains { $0.isIPv4 == family } }
        }
    }
}
