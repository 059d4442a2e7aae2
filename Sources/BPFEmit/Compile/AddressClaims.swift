import NetTypes
import PolicyIR

/// Which pods say an address is theirs, and who has it: the one that says so, if no other pod and no node does.
struct AddressClaims: Sendable {
    private struct Claim: Sendable {
        /// Number of a pod; -1: none is left.
        var pod: Int32
        /// The pod's remote at the address; -1: it belongs to nobody.
        var remote: IdentityIndex.RemoteID = -1
        /// The other pods.
        var others: [Int32] = []
    }

    private var claims: [IPAddress: Claim] = [:]
    /// Addresses that somebody claims and nobody has.
    private(set) var contested: Set<IPAddress> = []

    mutating func reserveCapacity(_ count: Int) { claims.reserveCapacity(count) }

    /// The addresses that pods claim, each with its identity, in no order.
    func entries(in index: IdentityIndex) -> [AddressEntry] {
        var found: [AddressEntry] = []
        found.reserveCapacity(claims.count)
        for (address, claim) in claims {
            let number = claim.remote < 0 ? ReservedIdentity.unknown.rawValue : index.number(of: claim.remote)
            found.append(AddressEntry(address: address, identity: number))
        }
        return found
    }

    /// The pods that claim an address.
    func claimants(of address: IPAddress) -> [Int] {
        guard let claim = claims[address], claim.pod >= 0 else { return [] }
        return ([claim.pod] + claim.others).map { Int($0) }
    }

    /// The remote of the pod that has an address; -1: it is contested; `nil`: no pod claims it.
    func remote(at address: IPAddress) -> IdentityIndex.RemoteID? { claims[address]?.remote }

    /// The addresses that belong to pods, with the pods' remotes.
    var settled: [(IPAddress, IdentityIndex.RemoteID)] {
        claims.lazy.filter { $0.value.remote >= 0 }.map { ($0.key, $0.value.remote) }
    }

    /// A pod says an address is its own. `settle` it then.
    mutating func add(_ address: IPAddress, by pod: Int) {
        let pod = Int32(truncatingIfNeeded: pod)
        guard let known = claims[address] else {
            claims[address] = Claim(pod: pod)
            return
        }
        if known.pod < 0 {
            claims[address]?.pod = pod
        } else if known.pod != pod, !known.others.contains(pod) {
            // A pod may write its address twice.
            claims[address]?.others.append(pod)
        }
    }

    /// A pod no longer says so. `settle` it then.
    mutating func remove(_ address: IPAddress, by pod: Int) {
        let pod = Int32(truncatingIfNeeded: pod)
        guard let known = claims[address] else { return }
        if known.pod != pod {
            claims[address]?.others.removeAll { $0 == pod }
        } else if let next = known.others.first {
            claims[address]?.pod = next
            claims[address]?.others.removeFirst()
        } else {
            claims[address]?.pod = -1
        }
    }

    /// Gives an address to the pod that alone claims it, and takes it from one that does not any more or is of another class.
    mutating func settle(_ address: IPAddress, _ pods: PodTable, in index: inout IdentityIndex) {
        guard let claim = claims[address] else { return }
        var remote: IdentityIndex.RemoteID = -1
        if claim.pod >= 0, claim.others.isEmpty, index.nodeRemote(at: address) == nil {
            remote = index.remote(of: pods.classes[Int(claim.pod)], at: address)
        }
        if remote != claim.remote {
            if remote >= 0 { index.retain(remote) }
            if claim.remote >= 0 { index.release(claim.remote) }
            claims[address]?.remote = remote
        }
        if claim.pod < 0 { claims[address] = nil }
        if claim.pod >= 0, remote < 0 {
            contested.insert(address)
        } else if !contested.isEmpty {
            contested.remove(address)
        }
    }
}
