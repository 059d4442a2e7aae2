import BPFEmit
import NetTypes
import PolicyAPI

/// The rules.
extension BindingTable {
    /// Brings the bindings to what the evidence and the objects of now say, as far as that may change them.
    mutating func resolve(_ evidence: HostEvidence) {
        let present = Set(evidence.links.map(\.ifindex))
        // The one way in which a binding ends.
        bindings = bindings.filter { present.contains($0.key) }
        pinned = pinned.filter { present.contains($0.key) }
        refresh()

        // A route says less of a pod that better evidence finds elsewhere: that comes first.
        let early = ClaimReading(self, evidence)
        for group in early.groups {
            let best = early.best(for: group)
            if best.rank > .hostRoute { bind(group, best) }
        }
        let reading = ClaimReading(self, evidence)
        let claimed = reading.groups.map { (group: $0, best: reading.best(for: $0)) }
        for (group, best) in claimed { bind(group, best) }
        let silent = claimed.filter { $0.best.claim == .silent }.map(\.group)
        bindByInsideAddresses(silent.filter { $0.links.contains(where: isOpen) }, ClaimReading(self, evidence))
        for group in reading.groups { update(group, reading) }
        refresh()
        contradictions = [:]
        for (group, best) in claimed {
            for link in group.links { contradictions[link.ifindex] = contradiction(of: link, best) }
        }
    }

    private mutating func bind(_ group: LinkGroup, _ best: RankedClaim) {
        for link in group.links {
            if bindings[link.ifindex] != nil {
                keep(link, best)
            } else if let target = firstTarget(of: group, best) {
                bindings[link.ifindex] = Binding(link: link, rank: target.rank, target: target.target)
            }
        }
    }

    /// Whether nothing of the host has said yet whose a link is, nor has the namespace been believed.
    private func isOpen(_ link: HostLink) -> Bool {
        guard let binding = bindings[link.ifindex] else { return true }
        return binding.stub != nil && binding.rank == .insideAddress
    }

    // MARK: links that are bound

    /// What evidence does to a binding: better evidence for another pod moves it, a stub becomes a pod, everything else leaves
    /// it as it is.
    private mutating func keep(_ link: HostLink, _ best: RankedClaim) {
        guard var binding = bindings[link.ifindex] else { return }
        defer { bindings[link.ifindex] = binding }
        binding.link = link
        let isBetter = best.rank > binding.rank
        switch (binding.target, best.claim) {
        case (_, .silent): return
        case (.stub(let stub), .pod(let name)):
            guard let pod = directory[name], best.rank >= binding.rank || pod.agrees(with: stub.reference) else {
                return
            }
            if stub.reference.isEmpty {
                binding.move(to: .pod(pod), by: best.rank)
            } else {
                binding.target = .pod(pod)
                binding.rank = best.rank
            }
        case (.stub, .missing(let reference)):
            guard isBetter || best.rank == binding.rank else { return }
            binding.target = .stub(.init(reason: .noPodObject, reference: reference))
            binding.rank = best.rank
        case (.stub, .several):
            guard isBetter || best.rank == binding.rank else { return }
            binding.target = .stub(.init(reason: .contradiction))
            binding.rank = best.rank
        case (.pod(let pod), .pod(let name)):
            guard let other = directory[name] else { return }
            if pod.isSame(as: other) {
                binding.rank = max(binding.rank, best.rank)
            } else if isBetter {
                binding.move(to: .pod(other), by: best.rank)
            }
        case (.pod(let pod), .missing(let reference)):
            // The labels in force are another pod's.
            guard isBetter, !pod.agrees(with: reference) else { return }
            binding.move(to: .stub(.init(reason: .noPodObject, reference: reference)), by: best.rank)
        case (.pod, .several): return
        }
    }

    /// What contradicts a binding that stays all the same, or makes an interface nobody's; in words.
    private func contradiction(of link: HostLink, _ best: RankedClaim) -> String? {
        guard let binding = bindings[link.ifindex] else { return nil }
        switch (binding.target, best.claim) {
        case (_, .silent), (.stub, .pod), (.stub, .missing): return nil
        case (.stub, .several): return text(best)
        case (.pod(let pod), .pod(let name)):
            return directory[name].map(pod.isSame) == false ? text(best) : nil
        case (.pod(let pod), .missing(let reference)): return pod.agrees(with: reference) ? nil : text(best)
        case (.pod(let pod), .several(let names)): return names.contains(pod.qualifiedName) ? nil : text(best)
        }
    }

    // MARK: links that are new

    /// What a link that was never bound becomes; `nil` leaves it alone, for now.
    private func firstTarget(
        of group: LinkGroup, _ best: RankedClaim
    ) -> (target: Binding.Target, rank: EvidenceRank)? {
        // Whose its namespace is known to be, it is too.
        let bound = group.links.compactMap { bindings[$0.ifindex] }
        let inherited = bound.max { $0.rank < $1.rank }
        if let inherited, best.claim == .silent || inherited.rank > best.rank {
            let pods = bound.compactMap(\.pod)
            let isOnePod = pods.count == bound.count && pods.dropFirst().allSatisfy { pods[0].isSame(as: $0) }
            if isOnePod || inherited.stub != nil { return (inherited.target, inherited.rank) }
            return (.stub(.init(reason: .contradiction)), inherited.rank)
        }
        switch best.claim {
        case .pod(let name): return directory[name].map { (.pod($0), best.rank) }
        case .several: return (.stub(.init(reason: .contradiction)), best.rank)
        case .missing(let reference):
            // Programs of an earlier agent are there: it was enforced before.
            guard settings.unknown != .open || best.rank == .pinnedEndpoint else { return nil }
            return (.stub(.init(reason: .noPodObject, reference: reference)), best.rank)
        case .silent:
            guard settings.unknown == .allIsolate, group.namespace?.isMounted == true else { return nil }
            return (.stub(.init(reason: .foreign)), .insideAddress)
        }
    }

    /// The weakest evidence: only for what nothing else speaks of.
    private mutating func bindByInsideAddresses(_ groups: [LinkGroup], _ reading: ClaimReading) {
        for group in groups {
            let target: Binding.Target
            switch reading.inside(group) {
            case .pod(let name):
                guard let pod = directory[name] else { continue }
                target = .pod(pod)
            case .several: target = .stub(.init(reason: .contradiction))
            case .silent, .missing: continue
            }
            for link in group.links where isOpen(link) {
                bindings[link.ifindex] = Binding(link: link, rank: .insideAddress, target: target)
            }
        }
    }

    // MARK: what is in force at them

    /// Notes what the host knows of a group's links beside whose they are. What it no longer knows stays.
    private mutating func update(_ group: LinkGroup, _ reading: ClaimReading) {
        for link in group.links {
            guard var binding = bindings[link.ifindex] else { continue }
            let note = group.attachment(of: link).flatMap { note in
                binding.pod?.agrees(with: note.pod) == false ? nil : note
            }
            if let note { binding.take(note) }
            let behind = binding.noted.isEmpty ? reading.addresses(behind: link).onePerFamily : binding.noted
            if !behind.isEmpty { binding.behind = behind }
            // What the namespace shows is its pod's choice: it does not say of which network noted addresses are.
            let interface = note?.interface ?? (binding.noted.isEmpty ? group.insideName(of: link) : "")
            if !interface.isEmpty { binding.interface = interface }
            bindings[link.ifindex] = binding
        }
    }

    /// Takes the bound pods' labels and addresses from their objects, as far as there are any that are good for that.
    private mutating func refresh() {
        for (ifindex, binding) in bindings { refresh(ifindex, binding) }
    }

    private mutating func refresh(_ ifindex: UInt32, _ binding: Binding) {
        guard case .pod(let last) = binding.target else { return }
        var binding = binding
        if var pod = object(of: last) {
            binding.standing = pod.hostNetwork ? .onHost : pod.isFinished ? .finished : .current
            if pod.isFinished, last.isFinished {
                // First seen finished: its containers are done, its interface is not.
                pod.phase = "Running"
                binding.target = .pod(pod)
            } else if pod.ownsAddresses {
                if pod.addresses.isEmpty { pod.addresses = last.addresses }
                binding.target = .pod(pod)
            }
        } else {
            binding.standing = .gone
        }
        bindings[ifindex] = binding
    }

    /// The object of a pod, under whatever name; `nil` when there is none, or another pod has the name.
    func object(of pod: Pod) -> Pod? {
        if let named = directory[pod.qualifiedName], named.isSame(as: pod) { return named }
        return directory.names(withUID: pod.metadata.uid).min().flatMap { directory[$0] }
    }

    private func text(_ claim: RankedClaim) -> String {
        switch claim.claim {
        case .silent: "\(claim.rank.text) says nothing"
        case .pod(let name): "\(claim.rank.text) says pod \(name)"
        case .missing(let reference): "\(claim.rank.text) says pod \(reference), which has no Pod object"
        case .several(let names): "\(claim.rank.text) says \(names.joined(separator: " and "))"
        }
    }
}
