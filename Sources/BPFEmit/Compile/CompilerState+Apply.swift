import NetTypes
import PolicyIR

/// Changes of the cluster.
extension CompilerState {
    /// What a call of `apply` has touched so far.
    struct Batch {
        /// Addresses that may have another identity.
        var addresses: Set<IPAddress> = []
        /// Entries outside the cluster that may have another identity.
        var entries: Set<IPPrefix> = []
        /// Namespaces that got other labels.
        var namespaces: Set<String> = []
        /// Classes of local pods that came, and of those that went; a class as often as pods.
        var entered: [IdentityIndex.ClassID] = []
        var left: [IdentityIndex.ClassID] = []
        /// Numbers of policies that were put in force, and of those that were taken out.
        var installed: [Int] = []
        var retired: [Int] = []
        /// Subjects that got another policy of a direction, with the image before; none for a new subject.
        var moved: [(subject: Int, direction: Direction, before: PolicyImage?)] = []
        var died: [IdentityIndex.RemoteID] = []
        var born: [IdentityIndex.RemoteID] = []
        /// Whether a local pod, or an address of one, may have changed.
        var changesEndpoints = false
    }

    /// Takes changes, in their order, and returns what changes in the node's image. Many at once cost less than one by one.
    ///
    /// The cost is that of what the changes touch; of everything else only lists are searched (and moved up by one entry, or
    /// copied once where an image was handed out):
    ///
    /// - a pod: its labels; one with new labels (or the last one with its labels) the peers of policies of its namespace or
    ///   of any, and one entry in each compiled policy that names it; a local one of a new subject two compilations;
    /// - a policy: its peers, the subjects it selected or selects, two compilations for each that is not shared; a prefix that
    ///   no policy named before, or none names any more, the addresses and entries inside it, each as a pod with new labels;
    /// - a namespace: the peers that ask about namespace labels, and its classes of pods in those that change their mind;
    /// - a node or hostNetwork pod: its addresses; one that becomes, or ceases to be, an address of the API server, or gets
    ///   other labels that policies ask about, the addresses of all nodes;
    /// - a service, its endpoint slices: the policies that refer to it, and its frontends; a node's addresses or zone those of all.
    ///   Where the node does not translate it, what each policy says of its endpoints, if they have other identities or ports;
    /// - a CIDR group: the policies that refer to it;
    /// - a name: the selectors of policies, and its addresses.
    public mutating func apply(_ changes: [ObjectChange]) -> NodeDelta {
        var batch = Batch()
        let (before, images) = (observed.targets, imagesOfSubjects)
        for change in changes { take(change, &batch) }
        changePolicies(&batch)
        classify(&batch)
        changeSubjects(&batch)
        spread(batch)
        compiled.compileWaiting(in: &index)
        slots.release(batch.retired)
        var delta = updateLists(batch)
        let own = services.isStale ? localAddresses : []
        delta.changesServices = services.update(pods, own: own)
        observe()
        complete(&delta, from: before, images)
        if index.size > sizeLimit { compileAgain() }
        return delta
    }

    /// Puts policies in force and takes others out.
    private mutating func changePolicies(_ batch: inout Batch) {
        for change in book.takeChanges() {
            for policy in change.before { index.unmention(policy) }
            for policy in change.after { index.mention(policy) }
            batch.retired += slots.retire(change.key, in: &index)
            batch.installed += slots.install(change.after, of: change.key, in: &index)
        }
    }

    /// Gives every address and entry that may have another one its remote, and the remotes that come to life numbers.
    private mutating func classify(_ batch: inout Batch) {
        let settlement = index.settle()
        batch.entries = settlement.entries
        batch.addresses.formUnion(settlement.nodeAddresses)
        for block in settlement.blocks {
            batch.addresses.formUnion(addresses.addresses(in: block))
        }
        // Few; whose they are hangs on everything that says who the node is.
        batch.addresses.formUnion(sharedAddresses)
        for address in batch.addresses { claims.settle(address, pods, in: &index) }
        (batch.died, batch.born) = index.takeLiveness()
        index.assignNumbers(to: batch.born, &allocator)
    }

    /// Tells peers and compiled policies of the remotes that came, went, or are in namespaces with other labels.
    private mutating func spread(_ batch: Batch) {
        var relabelled = index.takeRelabelled()
        if !(relabelled.isEmpty && batch.died.isEmpty && batch.born.isEmpty) { compiled.forgetInherited() }
        for remote in batch.died {
            let terms = (relabelled.removeValue(forKey: remote) ?? []).union(index.withdraw(remote))
            compiled.note(remote, terms, .died, in: &index)
        }
        for (remote, terms) in relabelled { compiled.note(remote, terms, .relabelled, in: &index) }
        for remote in batch.born { compiled.note(remote, index.announce(remote), .born, in: &index) }
        compiled.patchNoted(in: &index)
    }

    /// A full compile: what was left behind goes, and so do the numbers of identities that nobody has.
    private mutating func compileAgain() {
        allocator.forget(except: Set(index.identities.map(\.text)))
        let slack = slack
        let (compilesHost, hasFormerHost) = (hostSubject != nil, hasFormerHost)
        self = CompilerState(
            objectsAsSet, book, localNode: localNode, ownAddresses: ownAddresses, allocator: allocator,
            serviceSettings: services.settings)
        if compilesHost { compileHost() }
        if hasFormerHost { setFormerHost(book.policies(of: CompilerState.formerHostPolicies)) }
        self.slack = slack
        sizeLimit = index.size * 2 + slack
    }
}

extension [AddressEntry] {
    /// The addresses in a prefix.
    fileprivate func addresses(in prefix: IPPrefix) -> [IPAddress] {
        var found: [IPAddress] = []
        for entry in self[place(of: prefix.address)...] {
            if prefix.contains(entry.address) {
                found.append(entry.address)
            } else if prefix.isIPv4 || !entry.address.isIPv4 {
                // All IPv4 lies in the middle of a short IPv6 prefix, and not in it.
                break
            }
        }
        return found
    }
}
