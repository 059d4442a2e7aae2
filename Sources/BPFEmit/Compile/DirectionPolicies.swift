import NetTypes
import PolicyAPI
import PolicyIR

/// The compiled policies of a node, under numbers: each is shared by all subjects to which the same policies apply alike,
/// and goes with the last of them.
///
/// A policy that is new, or whose program changes, waits for `compileWaiting`; entries of `peers` that change alone are
/// patched in place (`DirectionPolicies+Peers`).
struct DirectionPolicies: Sendable {
    /// A bit of a policy.
    struct TermUser: Sendable {
        var policy: Int
        var bit: Int
    }

    /// What became of a policy that some subject had before and has still.
    enum Change {
        /// It is to be loaded anew.
        case program
        /// Entries of its `peers`, by identity; `nil`: the entry went.
        case peers([(order: UInt32, entry: PeerEntry?)])
    }

    /// By number; of one that is free, one without subjects.
    var policies: [DirectionPolicy] = []
    private var free: [Int] = []
    private var numbers: [DirectionPolicy.Key: Int] = [:]
    /// By term: the bits that ask for it, in policies that carry it for every remote the term matches.
    var users: [[TermUser]] = []
    /// By term: how many policies ask for it.
    private var uses: [Int32] = []
    /// Policies with egress rules that name ports.
    private(set) var naming: Set<Int> = []
    /// By policy that does not fit the limits: why.
    private(set) var failures: [Int: EmitError] = [:]
    /// Policies that `compileWaiting` is to compile.
    var waiting: Set<Int> = []
    /// By policy that waits: the peers of the one whose place it takes, for as long as no remote came, went or changed since.
    private var inherited: [Int: KnownPeers] = [:]
    /// By policy, since `takeChanges`.
    var changes: [Int: Change] = [:]
    /// By policy: what `note` has noted since the last `patchNoted`; kept for their capacity.
    var touches: [[Touch]] = []
    /// The policies for which something is noted.
    var touched: [Int] = []
    private var workspace = PeersWorkspace()

    /// The image of a policy.
    func image(_ number: Int) -> PolicyImage { policies[number].image }

    /// Gives a subject the policy of a direction, shared if an equal one exists. Returns its number. `applying` are the
    /// numbers in `lowered` of the policies that select the subject; `columns` numbers the columns of its names, `name` is its key
    /// there. `before` is the policy that it has, which is not released yet: what is the same in both is taken from there.
    mutating func use(
        _ direction: Direction, of podClass: IdentityIndex.ClassID, _ applying: [Int], of lowered: [LoweredPolicy],
        by subject: Int, named name: String, inPlaceOf before: Int? = nil, _ columns: inout NameColumns,
        in index: inout IdentityIndex
    ) -> Int {
        let speaking = applying.filter { lowered[$0][direction] != nil }
        var key = DirectionPolicy.Key(direction: direction, policies: speaking, ports: -1, names: 0)
        if direction == .ingress, speaking.contains(where: { DirectionPolicies.namesPorts(lowered[$0]) }) {
            let known = numbers.keys.first {
                $0.direction == .ingress && $0.policies == speaking && $0.ports >= 0
                    && index.samePorts($0.ports, podClass)
            }
            key.ports = known?.ports ?? podClass
        }
        var lists: Set<NameList> = []
        for number in speaking { lowered[number][direction]?.addNameLists(to: &lists) }
        key.names = columns.numbering(of: name, lists)
        if let known = numbers[key] {
            policies[known].subjects.insert(subject)
            return known
        }
        let rules = SubjectPolicy(
            speaking.compactMap { lowered[$0][direction] },
            isolatedBy: speaking.filter { lowered[$0][direction]?.isolates == true }.map { lowered[$0].origin })
        let policy = DirectionPolicy(
            key: key, policy: rules, subject: podClass,
            peers: DirectionPolicies.terms(of: rules.rules, before.map { policies[$0] }, in: &index),
            host: direction == .ingress && rules.isIsolated ? index.term(of: .entity(.host)) : nil,
            columns: columns.columns(of: key.names).filter { lists.contains($0.key) }, subjects: [subject])
        for term in policy.terms {
            while uses.count <= Int(term) { uses.append(0) }
            uses[Int(term)] += 1
        }
        let number: Int
        if let place = free.popLast() {
            number = place
            policies[number] = policy
        } else {
            number = policies.count
            policies.append(policy)
            touches.append([])
        }
        numbers[key] = number
        if let before, !waiting.contains(before), failures[before] == nil {
            inherited[number] = KnownPeers(of: policies[before])
        }
        waiting.insert(number)
        return number
    }

    /// A remote came, went or changed: what peers of a policy were known is patched nowhere.
    mutating func forgetInherited() { inherited = [:] }

    /// Takes a policy from a subject, and with its last subject forgets it.
    mutating func release(_ number: Int, by subject: Int, in index: inout IdentityIndex) {
        policies[number].subjects.remove(subject)
        guard policies[number].subjects.isEmpty else { return }
        let policy = policies[number]
        forgetUsers(number)
        for term in policy.terms {
            uses[Int(term)] -= 1
            if uses[Int(term)] == 0 { index.forget(term) }
        }
        numbers[policy.key] = nil
        naming.remove(number)
        failures[number] = nil
        waiting.remove(number)
        inherited[number] = nil
        changes[number] = nil
        policies[number] = DirectionPolicies.nothing
        free.append(number)
    }

    /// Compiles what waits for it. All remotes must have been announced or withdrawn.
    mutating func compileWaiting(in index: inout IdentityIndex) {
        var programs = SharedPrograms()
        for number in waiting.sorted() {
            let before = policies[number].image
            compile(number, &programs, in: &index)
            if before != policies[number].image { changes[number] = .program }
        }
        waiting = []
        inherited = [:]
    }

    /// What became of policies since the last call, by number.
    mutating func takeChanges() -> [Int: Change] {
        defer { changes = [:] }
        return changes
    }

    /// Makes the image of a policy anew from what the index knows now.
    private mutating func compile(_ number: Int, _ programs: inout SharedPrograms, in index: inout IdentityIndex) {
        let (direction, policy) = (policies[number].direction, policies[number].policy)
        let compiled = DirectionCompiler(
            policy, direction, peers: policies[number].peers, subject: policies[number].subject,
            columns: policies[number].columns, in: &index)
        var bits = PolicyBits(
            direction: direction, isolatedBy: policy.isolatedBy, bits: compiled.bits,
            hostBit: policies[number].host == nil ? nil : compiled.bits.count, peers: [])
        use(compiled, number)
        let (entries, width) = findPeers(of: bits, number, in: &index)
        // A program depends on which bits somebody carries, not on who: one entry stands for all of them.
        let union = policies[number].carriedWords(bits.words)
        bits.peers = entries.isEmpty ? [] : [PeerEntry(identity: ReservedIdentity.unknown.rawValue, words: union)]
        bits.columns = policies[number].nameColumns(bits.words)
        bits.names = policies[number].key.names

        failures[number] = nil
        do {
            var image = try programs.emit(bits)
            image.peers = image.words == width ? entries : entries.trimmed(to: image.words)
            image.leftOut = compiled.leftOut
            policies[number].image = image
            policies[number].bits = bits.bits
        } catch {
            failures[number] = error
            policies[number].bits = []
            bits = PolicyBits(
                direction: direction, isolatedBy: DirectionPolicies.closed(policy), bits: [], hostBit: nil, peers: [])
            // Nothing to fail on is left; if it did, an empty program is one that no loader takes.
            policies[number].image =
                (try? PolicyEmitter.emit(bits))
                ?? PolicyImage(
                    program: EncodedProgram(instructions: [], mapReferences: []), words: 0, peers: [], bits: [],
                    isolatedBy: bits.isolatedBy, strictness: .isolating)
        }
    }

    /// The entries of the `peers` map, the words of each, and who carries each bit counted: those of the policy before where the same
    /// remotes carry the same bits.
    private mutating func findPeers(
        of bits: PolicyBits, _ number: Int, in index: inout IdentityIndex
    ) -> (entries: PeerTable, width: Int) {
        if let known = inherited[number], known.are(of: bits, policies[number].carriers) {
            policies[number].carried = known.carried
            return (known.entries, known.width)
        }
        let entries = bits.words <= PeersWorkspace.maximumWidth ? peers(of: bits, number, in: &index) : PeerTable()
        policies[number].carried = Array(repeating: 0, count: bits.bits.count + 1)
        policies[number].count(entries)
        return (entries, bits.words)
    }

    /// The entries of the `peers` map.
    private mutating func peers(of bits: PolicyBits, _ number: Int, in index: inout IdentityIndex) -> PeerTable {
        let carriers = policies[number].carriers
        workspace.begin(width: bits.words, in: index)
        var unknown = [UInt64](repeating: 0, count: bits.words)
        for (bit, carrier) in carriers.enumerated() {
            if bit < bits.bits.count {
                if bits.bits[bit].matchesAnyPeer { continue }
                if bits.bits[bit].rule.action == .deny { unknown[bit / 64] |= 1 << UInt64(bit % 64) }
            }
            if let port = carrier.port {
                let all = DirectionCompiler.remotes(carrier.terms, in: &index)
                var having: [IdentityIndex.RemoteID] = []
                for remote in all {
                    guard let podClass = index.podClass(of: remote) else { continue }
                    let numbers = index.ports(ofClass: podClass, named: port.name.name, port.name.protocol)
                    if numbers.contains(port.number) { having.append(remote) }
                }
                workspace.set(bit, for: having)
            } else {
                for term in carrier.terms ?? [] { workspace.set(bit, for: index.matches(of: term)) }
            }
        }
        var entries = workspace.takeEntries()
        // Whoever has a contested address is a peer of every deny rule.
        if unknown.contains(where: { $0 != 0 }) {
            let identity = ReservedIdentity.unknown.rawValue
            entries.set([(identity, PeerEntry(identity: identity, words: unknown))])
        }
        return entries
    }

    /// Notes what the bits of a policy ask for, the host bit behind the others.
    private mutating func use(_ compiled: DirectionCompiler, _ number: Int) {
        forgetUsers(number)
        var carriers = compiled.carriers
        if let host = policies[number].host { carriers.append(DirectionCompiler.Carriers(terms: [host])) }
        for (bit, carrier) in carriers.enumerated() where carrier.port == nil {
            for term in carrier.terms ?? [] {
                while users.count <= Int(term) { users.append([]) }
                users[Int(term)].append(TermUser(policy: number, bit: bit))
            }
        }
        policies[number].carriers = carriers
        policies[number].names = compiled.names
        if !compiled.names.isEmpty { naming.insert(number) }
    }

    private mutating func forgetUsers(_ number: Int) {
        for carrier in policies[number].carriers where carrier.port == nil {
            for term in carrier.terms ?? [] { users[Int(term)].removeAll { $0.policy == number } }
        }
    }

    /// Who isolates a subject whose policy cannot be compiled: everything is denied.
    private static func closed(_ policy: SubjectPolicy) -> [RuleOrigin] {
        let origins = policy.isIsolated ? policy.isolatedBy : policy.rules.prefix(1).map(\.origin)
        return origins.isEmpty ? [RuleOrigin(kind: "netpold", namespace: "", name: "limit", path: "")] : origins
    }

    /// The terms of the peers of rules. Rules that `known` has too, before or behind those that differ, have the same terms there.
    private static func terms(
        of rules: [PolicyRule], _ known: DirectionPolicy?, in index: inout IdentityIndex
    ) -> [[IdentityIndex.TermID]?] {
        let others = known?.policy.rules ?? []
        let shift = others.count - rules.count
        return rules.indices.map { place in
            for other in shift == 0 ? [place] : [place, place + shift] {
                guard let known, others.indices.contains(other), others[other].peers == rules[place].peers else {
                    continue
                }
                return known.peers[other]
            }
            return terms(of: rules[place].peers, in: &index)
        }
    }

    /// The terms of a rule's peers, each once; `nil`: everyone. Names have none, and prefixes that differ in their exceptions have one.
    static func terms(of peers: PeerMatch, in index: inout IdentityIndex) -> [IdentityIndex.TermID]? {
        guard case .anyOf(let peers) = peers else { return nil }
        var found: [IdentityIndex.TermID] = []
        found.reserveCapacity(peers.count)
        var seen: Set<IdentityIndex.TermID> = []
        for peer in peers.count > 1 ? peers.withJoinedPrefixes : peers {
            guard let term = index.term(of: peer) else { continue }
            // Of a few, looking at all of them is cheaper than a set.
            if peers.count > 16 ? seen.insert(term).inserted : !found.contains(term) { found.append(term) }
        }
        return found
    }

    private static let nothing = DirectionPolicy(
        key: DirectionPolicy.Key(direction: .ingress, policies: [], ports: -1, names: 0),
        policy: SubjectPolicy([], isolatedBy: []), subject: -1, peers: [], host: nil, columns: [:])

    private static func namesPorts(_ policy: LoweredPolicy) -> Bool {
        guard let ingress = policy.ingress else { return false }
        // Through a span: rules that are looked at are not copied.
        let rules = ingress.rules.span
        for place in rules.indices {
            guard case .anyOf(let clauses) = rules[place].traffic else { continue }
            if clauses.contains(where: { if case .named = $0 { true } else { false } }) { return true }
        }
        return false
    }
}

extension DirectionRules {
    /// Adds the lists of names that its rules have.
    fileprivate func addNameLists(to lists: inout Set<NameList>) {
        // Through a span: rules that are looked at are not copied.
        let rules = rules.span
        for place in rules.indices { if let list = rules[place].nameList { lists.insert(list) } }
    }
}
