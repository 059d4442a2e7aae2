import NetTypes
import PolicyAPI
import PolicyIR

/// The Services that the node does not translate, and the compiled policies with what those add to them.
struct ObservedServices: Sendable {
    /// A policy as it was when its image was made.
    private struct Made {
        var source: PolicyImage
        var result: PolicyImage
    }

    /// What programs see of them.
    private(set) var targets = ObservedTargets()
    /// By the number of a compiled policy: its image with Services, where that is another one.
    private(set) var images: [Int: PolicyImage] = [:]
    /// By policy that does not fit the limits with them: the subjects, and why.
    private var failures: [Int: (subjects: [String], error: EmitError)] = [:]
    private var made: [Int: Made] = [:]

    /// Whether there is none.
    var isEmpty: Bool { targets.targets.isEmpty && targets.leftOut.isEmpty }

    /// Goes to other targets and policies.
    ///
    /// - Parameters:
    ///   - next: the targets.
    ///   - policies: the compiled policies in use, by number, each with the keys of its subjects; those that could not be compiled
    ///     are not among them.
    /// - Complexity: O(rows of the targets) for each policy that changed, or for all where the targets did.
    mutating func update(
        _ next: ObservedTargets, _ policies: [Int: (plain: ObservedPolicy.Plain, subjects: [String])]
    ) {
        if next != targets { made = [:] }
        targets = next
        images = [:]
        failures = [:]
        if isEmpty {
            made = [:]
            return
        }
        var kept: [Int: Made] = [:]
        for (number, policy) in policies {
            if let known = made[number], known.source == policy.plain.image {
                kept[number] = known
            } else {
                do throws(EmitError) {
                    kept[number] = Made(
                        source: policy.plain.image, result: try ObservedPolicy.emit(policy.plain, targets))
                } catch {
                    failures[number] = (policy.subjects.sorted(), error)
                    images[number] = ObservedPolicy.closed(policy.plain)
                }
            }
            if let result = kept[number]?.result, result != policy.plain.image { images[number] = result }
        }
        made = kept
    }

    /// The identities of an image with those of Services' addresses.
    func adding(to identities: [IdentityRecord]) -> [IdentityRecord] {
        if targets.texts.isEmpty { return identities }
        return (identities + targets.texts.map { IdentityRecord(number: $0.key, label: $0.value) })
            .sorted { $0.order < $1.order }
    }

    /// The exact addresses of an image with those of Services.
    func adding(to addresses: [AddressEntry]) -> [AddressEntry] {
        if targets.addresses.isEmpty { return addresses }
        return
            (addresses.filter { targets.addresses[$0.address] == nil }
            + targets.addresses.map { AddressEntry(address: $0.key, identity: $0.value) })
            .sorted { $0.address < $1.address }
    }

    /// What the authors of policies and Services should know.
    var diagnostics: [Diagnostic] {
        let taken = targets.leftOut.map { key in
            Diagnostic(
                id: .contestedAddress, severity: .warning, location: nil,
                message:
                    "\(key.address) port \(key.port)/\(key.protocol) is a Service's, and the address is a pod's too, or "
                    + "nobody's: policies see whoever has the address, and not the Service's endpoints",
                hint: "give the Service another address")
        }
        let tooMany = failures.values.flatMap { failure in
            failure.subjects.map { subject in
                Diagnostic(
                    id: .tooMany, location: nil,
                    message:
                        "egress of \(subject), with the Services' addresses: \(failure.error); everything is denied",
                    hint: "select fewer policies for these pods")
            }
        }
        return taken + tooMany
    }
}

extension CompilerState {
    /// Brings what is said of Services that are not translated in step with everything else.
    mutating func observe() {
        if services.observed.isEmpty, observed.isEmpty { return }
        // A copy of everything but the numbers, which are being given.
        var numbers = allocator
        allocator = IdentityAllocator()
        let state = self
        // Few addresses are looked up one by one, many by a table.
        let table = services.observed.count > 64 ? PrefixLookup(prefixes) : nil
        func outside(_ address: IPAddress) -> UInt32 {
            table?.identity(of: address) ?? state.outsideIdentity(of: address)
        }
        let targets = ObservedTargets(services.observed) { address in
            if state.claims.remote(at: address) != nil || state.sharedAddresses.contains(address) { return .taken }
            if let node = state.index.nodeRemote(at: address) { return .node(state.index.number(of: node)) }
            return .outside(outside(address))
        } ends: { address in
            guard let identity = state.identity(of: address) else { return [outside(address)] }
            guard identity & SharedAddresses.mark != 0 else { return [identity] }
            return [identity & ~SharedAddresses.mark, outside(address)]
        } number: { text, scope in
            numbers.number(for: text, scope: scope)
        }
        allocator = numbers
        var policies: [Int: (plain: ObservedPolicy.Plain, subjects: [String])] = [:]
        for number in subjects.order {
            guard let subject = subjects[number] else { continue }
            for direction in Direction.allCases {
                let policy = compiled.policies[subject[direction]]
                guard compiled.failures[subject[direction]] == nil else { continue }
                policies[
                    subject[direction],
                    default: (
                        ObservedPolicy.Plain(
                            direction: direction, isolatedBy: policy.policy.isolatedBy, bits: policy.bits,
                            image: policy.image), []
                    )
                ].subjects.append(subject.key)
            }
        }
        observed.update(targets, policies)
    }

    /// What np_prefixes says of an address.
    private func outsideIdentity(of address: IPAddress) -> UInt32 {
        for length in stride(from: address.isIPv4 ? 32 : 128, through: 0, by: -1) {
            if let prefix = IPPrefix(address, length: length), let entry = prefixes.entry(prefix) {
                return entry.identity
            }
        }
        return (address.isIPv4 ? ReservedIdentity.worldIPv4 : .worldIPv6).rawValue
    }

    /// The images of all subjects, by key: what `complete` compares with. `nil` while no Service is observed.
    var imagesOfSubjects: [String: SubjectImage]? {
        if observed.isEmpty { return nil }
        return Dictionary(image.subjects.map { ($0.key, $0) }) { first, _ in first }
    }

    /// Adds to what a change has changed what it changed about observed Services.
    ///
    /// - Parameters:
    ///   - delta: what the change did apart from them.
    ///   - before: the targets before it.
    ///   - images: what `imagesOfSubjects` was.
    func complete(_ delta: inout NodeDelta, from before: ObservedTargets, _ images: [String: SubjectImage]?) {
        if images == nil, observed.isEmpty { return }
        let after = observed.targets
        var changes: [IPAddress: NodeDelta.AddressChange] = [:]
        for change in delta.addresses { changes[change.address] = change }
        for address in Set(before.addresses.keys).union(after.addresses.keys) {
            let now = after.addresses[address] ?? addresses.entry(address)?.identity
            let isNews = before.addresses[address] != now
            changes[address] = isNews ? NodeDelta.AddressChange(address: address, identity: now) : nil
        }
        delta.addresses = changes.values.sorted { $0.address < $1.address }
        let new = after.texts.filter { before.texts[$0.key] == nil }
        delta.newIdentities =
            (delta.newIdentities + new.map { IdentityRecord(number: $0.key, label: $0.value) })
            .sorted { $0.order < $1.order }
        delta.retiredIdentities =
            (delta.retiredIdentities + before.texts.keys.filter { after.texts[$0] == nil }).sorted()

        var programs = Set(delta.programs)
        for number in subjects.order {
            guard let subject = subjects[number] else { continue }
            for direction in Direction.allCases {
                let change = NodeDelta.ProgramChange(subject: subject.key, direction: direction)
                let isOther: Bool
                if let images {
                    // A new subject is among the programs already.
                    guard let known = images[subject.key] else { continue }
                    isOther = known[direction] != effective(subject[direction])
                } else {
                    guard observed.images[subject[direction]] != nil else { continue }
                    isOther = true
                }
                if isOther { programs.insert(change) } else { programs.remove(change) }
                for place in delta.peers.indices where delta.peers[place].direction == direction {
                    delta.peers[place].subjects.removeAll { $0 == subject.key }
                }
            }
        }
        delta.peers.removeAll { $0.subjects.isEmpty }
        delta.programs = programs.sorted {
            ($0.subject, $0.direction.rawValue) < ($1.subject, $1.direction.rawValue)
        }
    }
}
