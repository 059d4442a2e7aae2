import NetTypes
import PolicyAPI
import PolicyIR

/// Subjects and their policies.
extension CompilerState {
    /// Makes a local pod an endpoint of its subject. Returns the subject if it is new.
    @discardableResult
    mutating func enter(_ number: Int) -> Int? {
        guard let entry = pods[number], entry.isLocal else { return nil }
        if let known = subjectOfClass[entry.podClass] {
            subjects[known]?.pods += 1
            return nil
        }
        let applying = selectors.applying(to: entry.podClass, of: lowered, in: &index)
        let subject = Subject(
            key: index.text(ofClass: entry.podClass), podClass: entry.podClass,
            ingress: policy(.ingress, of: entry.podClass, applying),
            egress: policy(.egress, of: entry.podClass, applying),
            pods: 1)
        let new = subjects.count
        subjects.append(subject)
        subjectOfClass[entry.podClass] = new
        policies[subject.ingress].subjects.insert(new)
        policies[subject.egress].subjects.insert(new)
        return new
    }

    /// Takes a pod out of its subject, and the subject away with its last pod.
    mutating func leave(_ entry: PodEntry) {
        guard entry.isLocal, let number = subjectOfClass[entry.podClass], let subject = subjects[number] else { return }
        subjects[number]?.pods -= 1
        if subject.pods > 1 { return }
        subjects[number] = nil
        subjectOfClass[entry.podClass] = nil
        for policy in [subject.ingress, subject.egress] {
            policies[policy].subjects.remove(number)
            if policies[policy].subjects.isEmpty { drop(policy) }
        }
    }

    /// The compiled policy of a direction for a class of local pods, shared if an equal one exists.
    private mutating func policy(
        _ direction: Direction, of podClass: IdentityIndex.ClassID, _ applying: [Int]
    ) -> Int {
        let numbers = applying.filter { lowered[$0][direction] != nil }
        var key = DirectionPolicy.Key(direction: direction, policies: numbers, ports: -1)
        if direction == .ingress, numbers.contains(where: { namesPorts($0) }) {
            let known = policyNumbers.keys.first {
                $0.direction == .ingress && $0.policies == numbers && $0.ports >= 0
                    && index.samePorts($0.ports, podClass)
            }
            key.ports = known?.ports ?? podClass
        }
        if let known = policyNumbers[key] { return known }
        let rules = SubjectPolicy(
            numbers.compactMap { lowered[$0][direction] },
            isolatedBy: numbers.filter { lowered[$0][direction]?.isolates == true }.map { lowered[$0].origin })
        let number = policies.count
        policies.append(
            DirectionPolicy(
                key: key, policy: rules, subject: podClass,
                image: PolicyImage(
                    program: EncodedProgram(instructions: [], mapReferences: []), words: 0, peers: [], bits: [],
                    isolatedBy: [])))
        policyNumbers[key] = number
        compile(number)
        if !policies[number].names.isEmpty { namingPolicies.append(number) }
        return number
    }

    /// Forgets a policy that no subject has any more.
    private mutating func drop(_ number: Int) {
        forgetTerms(of: number)
        policyNumbers[policies[number].key] = nil
        namingPolicies.removeAll { $0 == number }
        failures[number] = nil
    }

    private func namesPorts(_ policy: Int) -> Bool {
        lowered[policy].ingress?.rules.contains { rule in
            guard case .anyOf(let clauses) = rule.traffic else { return false }
            return clauses.contains { if case .named = $0 { true } else { false } }
        } ?? false
    }

    /// Makes the image of a policy anew from what the index knows now.
    mutating func compile(_ number: Int) {
        let direction = policies[number].direction
        let policy = policies[number].policy
        let compiled = DirectionCompiler(policy, direction, subject: policies[number].subject, in: &index)
        policies[number].names = compiled.names
        var bits = PolicyBits(
            direction: direction, isolatedBy: policy.isolatedBy, bits: compiled.bits,
            hostBit: direction == .ingress && policy.isIsolated ? compiled.bits.count : nil, peers: [])
        use(compiled, by: number)
        let entries = bits.words <= PeersWorkspace.maximumWidth ? peers(of: bits, compiled) : []
        policies[number].carried = Array(repeating: 0, count: bits.bits.count + 1)
        policies[number].count(entries)
        // A program depends on which bits somebody carries, not on who: one entry stands for all of them.
        let union = policies[number].carriedWords(bits.words)
        bits.peers = entries.last.map { [PeerEntry(identity: $0.identity, words: union)] } ?? []

        failures[number] = nil
        do {
            var image = try PolicyEmitter.emit(bits)
            let words = image.words
            image.peers =
                words == bits.words
                ? entries : entries.map { PeerEntry(identity: $0.identity, words: Array($0.words.prefix(words))) }
            policies[number].image = image
        } catch {
            failures[number] = error
            bits = PolicyBits(
                direction: direction, isolatedBy: CompilerState.closed(policy), bits: [], hostBit: nil, peers: [])
            // Nothing to fail on is left; if it did, an empty program is one that no loader takes.
            policies[number].image =
                (try? PolicyEmitter.emit(bits))
                ?? PolicyImage(
                    program: EncodedProgram(instructions: [], mapReferences: []), words: 0, peers: [], bits: [],
                    isolatedBy: bits.isolatedBy)
        }
    }

    /// Who isolates a subject whose policy cannot be compiled: everything is denied.
    private static func closed(_ policy: SubjectPolicy) -> [RuleOrigin] {
        let origins = policy.isIsolated ? policy.isolatedBy : policy.rules.prefix(1).map(\.origin)
        return origins.isEmpty ? [RuleOrigin(kind: "netpold", namespace: "", name: "limit", path: "")] : origins
    }

    /// The entries of the `peers` map.
    private mutating func peers(of bits: PolicyBits, _ compiled: DirectionCompiler) -> [PeerEntry] {
        workspace.begin(width: bits.words, remotes: index.remoteCount)
        var unknown = [UInt64](repeating: 0, count: bits.words)
        for (bit, carriers) in compiled.carriers.enumerated() where !bits.bits[bit].matchesAnyPeer {
            if bits.bits[bit].rule.action == .deny { unknown[bit / 64] |= 1 << UInt64(bit % 64) }
            if let port = carriers.port {
                let all = DirectionCompiler.remotes(carriers.terms, in: &index)
                let having = all.filter { remote in
                    index.podClass(of: remote).map {
                        index.ports(ofClass: $0, named: port.name.name, port.name.protocol).contains(port.number)
                    } ?? false
                }
                workspace.set(bit, for: having)
            } else {
                for term in carriers.terms ?? [] { workspace.set(bit, for: index.matches(of: term)) }
            }
        }
        if let hostBit = bits.hostBit { workspace.set(hostBit, for: index.hostRemotes) }
        let entries = workspace.entries(in: index)
        // Whoever has a contested address is a peer of every deny rule.
        guard unknown.contains(where: { $0 != 0 }) else { return entries }
        return [PeerEntry(identity: ReservedIdentity.unknown.rawValue, words: unknown)] + entries
    }

    /// Notes which terms the bits of a policy ask for.
    private mutating func use(_ compiled: DirectionCompiler, by policy: Int) {
        forgetTerms(of: policy)
        for (bit, carriers) in compiled.carriers.enumerated() where carriers.port == nil {
            for term in carriers.terms ?? [] {
                while users.count <= Int(term) { users.append([]) }
                policies[policy].terms.insert(term)
                if !users[Int(term)].contains(where: { $0.policy == policy && $0.bit == bit }) {
                    users[Int(term)].append(TermUser(policy: policy, bit: bit))
                }
            }
        }
    }

    private mutating func forgetTerms(of policy: Int) {
        for term in policies[policy].terms { users[Int(term)].removeAll { $0.policy == policy } }
        policies[policy].terms = []
    }
}
