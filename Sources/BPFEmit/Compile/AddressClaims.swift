import NetTypes
import PolicyIR

/// Which pods say an address is theirs, and who has it: the one that says so, if no other pod and no node does.
///
/// One sorted array without references: made by one sort, searched in 14 steps among 10,000, and a claim that comes or goes moves what
/// stands behind it.
struct AddressClaims: Sendable {
    private struct Claim: Sendable {
        var address: IPAddress
        /// Number of a pod; -1: none is left.
        var pod: Int32
        /// The pod's remote at the address; -1: it belongs to nobody.
        var remote: IdentityIndex.RemoteID = -1
    }

    /// Sorted by address, each once.
    private var claims: [Claim] = []
    /// The other pods of addresses that several claim.
    private var others: [IPAddress: [Int32]] = [:]
    /// Addresses that somebody claims and nobody has.
    private(set) var contested: Set<IPAddress> = []

    init() {}

    /// The claims of a cluster, none of them settled. A pod may write an address twice.
    init(_ all: [(address: IPAddress, pod: Int)]) {
        claims = all.map { Claim(address: $0.address, pod: Int32(truncatingIfNeeded: $0.pod)) }
        // Of several the one with the lowest number is the first, the others follow.
        claims.sort { ($0.address, $0.pod) < ($1.address, $1.pod) }
        var kept = 0
        for place in claims.indices {
            let claim = claims[place]
            if kept > 0, claims[kept - 1].address == claim.address {
                let isKnown = claims[kept - 1].pod == claim.pod || others[claim.address]?.last == claim.pod
                if !isKnown { others[claim.address, default: []].append(claim.pod) }
            } else {
                claims[kept] = claim
                kept += 1
            }
        }
        claims.removeLast(claims.count - kept)
    }

    /// The addresses that pods claim, each with its identity, sorted.
    func entries(in index: IdentityIndex) -> [AddressEntry] {
        claims.map { claim in
            let number = claim.remote < 0 ? ReservedIdentity.unknown.rawValue : index.number(of: claim.remote)
            return AddressEntry(address: claim.address, identity: number)
        }
    }

    /// The pods that claim an address.
    func claimants(of address: IPAddress) -> [Int] {
        guard let place = find(address), claims[place].pod >= 0 else { return [] }
        return ([claims[place].pod] + (others[address] ?? [])).map { Int($0) }
    }

    /// The remote of the pod that has an address; -1: it is contested; `nil`: no pod claims it.
    func remote(at address: IPAddress) -> IdentityIndex.RemoteID? { find(address).map { claims[$0].remote } }

    /// The addresses that belong to pods, with the pods' remotes.
    var settled: [(IPAddress, IdentityIndex.RemoteID)] {
        claims.lazy.filter { $0.remote >= 0 }.map { ($0.address, $0.remote) }
    }

    /// A pod says an address is its own. `settle` it then.
    mutating func add(_ address: IPAddress, by pod: Int) {
        let pod = Int32(truncatingIfNeeded: pod)
        let place = place(of: address)
        guard place < claims.count, claims[place].address == address else {
            claims.insert(Claim(address: address, pod: pod), at: place)
            return
        }
        if claims[place].pod < 0 {
            claims[place].pod = pod
        } else if claims[place].pod != pod, others[address]?.contains(pod) != true {
            // A pod may write its address twice.
            others[address, default: []].append(pod)
        }
    }

    /// A pod no longer says so. `settle` it then.
    mutating func remove(_ address: IPAddress, by pod: Int) {
        let pod = Int32(truncatingIfNeeded: pod)
        guard let place = find(address) else { return }
        var rest = others[address] ?? []
        if claims[place].pod != pod {
            rest.removeAll { $0 == pod }
        } else {
            claims[place].pod = rest.isEmpty ? -1 : rest.removeFirst()
        }
        others[address] = rest.isEmpty ? nil : rest
    }

    /// Gives an address to the pod that alone claims it, and takes it from one that does not any more or is of another class.
    mutating func settle(_ address: IPAddress, _ pods: PodTable, in index: inout IdentityIndex) {
        guard let place = find(address) else { return }
        settle(place, pods, in: &index)
        if claims[place].pod < 0 { claims.remove(at: place) }
    }

    /// Settles all claims, of which none is without a pod.
    mutating func settleAll(_ pods: PodTable, in index: inout IdentityIndex) {
        for place in claims.indices { settle(place, pods, in: &index) }
    }

    private mutating func settle(_ place: Int, _ pods: PodTable, in index: inout IdentityIndex) {
        let claim = claims[place]
        let isAlone = others.isEmpty || others[claim.address] == nil
        var remote: IdentityIndex.RemoteID = -1
        if claim.pod >= 0, isAlone, index.nodeRemote(at: claim.address) == nil {
            remote = index.remote(of: pods.classes[Int(claim.pod)], at: claim.address)
        }
        if remote != claim.remote {
            if remote >= 0 { index.retain(remote) }
            if claim.remote >= 0 { index.release(claim.remote) }
            claims[place].remote = remote
        }
        if claim.pod >= 0, remote < 0 {
            contested.insert(claim.address)
        } else if !contested.isEmpty {
            contested.remove(claim.address)
        }
    }

    private func find(_ address: IPAddress) -> Int? {
        let place = place(of: address)
        return place < claims.count && claims[place].address == address ? place : nil
    }

    /// Where an address stands, or would.
    private func place(of address: IPAddress) -> Int {
        var (low, high) = (0, claims.count)
        while low < high {
            let middle = (low + high) / 2
            if claims[middle].address < address { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
