public import NetTypes
public import PolicyAPI

/// Pods: their classes, their remotes, and what those are called.
extension IdentityIndex {
    /// The class of a pod: everything policies can see of it but its addresses.
    public mutating func podClass(of pod: Pod) -> ClassID {
        let namespace = namespace(pod.metadata.namespace)
        classKey.removeAll(keepingCapacity: true)
        classKey.append(PodClass.packed(UInt32(bitPattern: namespace), symbols.intern(pod.serviceAccount)))
        classKey.append(UInt64(pod.metadata.labels.count))
        for (key, value) in pod.metadata.labels {
            insertInKey(PodClass.packed(symbols.intern(key), symbols.intern(value)), from: 2)
        }
        sortKey(from: 2)
        let portStart = classKey.count
        for port in pod.ports where !port.name.isEmpty {
            let number = NamedPort.packed(port.protocol, port.port)
            insertInKey(PodClass.packed(symbols.intern(port.name), number), from: portStart)
        }
        sortKey(from: portStart)
        let hash = classHash.hash(classKey.span)
        var probe = classTable.probe(hash)
        while let candidate = classTable.next(&probe) {
            if isKey(of: candidate, portStart) { return ClassID(truncatingIfNeeded: candidate) }
        }
        classTable.append(hash)
        return addClass(namespace, portStart)
    }

    /// Makes room for the classes and remotes of so many pods, of which nothing is known yet.
    public mutating func reserve(pods: Int) {
        classes.reserveCapacity(pods)
        labels.reserveCapacity(pods * 4)
        remotes.reserveCapacity(pods)
    }

    /// Whether `classKey` is the key of a class, ports from `portStart` on.
    private func isKey(of candidate: Int, _ portStart: Int) -> Bool {
        let podClass = classes[candidate]
        guard PodClass.packed(UInt32(bitPattern: podClass.namespace), podClass.serviceAccount) == classKey[0],
            podClass.labels.count == portStart - 2, podClass.ports.count == classKey.count - portStart
        else { return false }
        var place = 2
        for index in Int(podClass.labels.lowerBound)..<Int(podClass.labels.upperBound) {
            if PodClass.packed(labels[index].key, labels[index].value) != classKey[place] { return false }
            place += 1
        }
        for index in Int(podClass.ports.lowerBound)..<Int(podClass.ports.upperBound) {
            if PodClass.packed(namedPorts[index].name, namedPorts[index].packed) != classKey[place] { return false }
            place += 1
        }
        return true
    }

    /// The name of the namespace of a class of pods.
    public func namespace(ofClass id: ClassID) -> String { symbols[namespaces[Int(classes[Int(id)].namespace)].name] }

    /// The remote of a class of pods at an address (`nil`: a pod without one), a new one if there is none, without number.
    public mutating func remote(of podClass: ClassID, at address: IPAddress?) -> RemoteID {
        let set = address.map { blockSet(of: $0) } ?? 0
        var candidate = classes[Int(podClass)].firstRemote
        while candidate >= 0 {
            if remotes[Int(candidate)].blocks == set { return candidate }
            candidate = remotes[Int(candidate)].next
        }
        let id = append(
            Remote(kind: .pod, podClass: podClass, blocks: set, next: classes[Int(podClass)].firstRemote))
        classes[Int(podClass)].firstRemote = id
        return id
    }

    /// The text of a remote: for people, and the key of its number. Different remotes never have the same text.
    public func text(of remote: RemoteID) -> String {
        let entry = remotes[Int(remote)]
        if !entry.text.isEmpty { return entry.text }
        return text(ofClass: entry.podClass) + blockText(entry.blocks)
    }

    /// The text of a class of pods: `shop/app=web,tier=front sa=shop ports=http:8080/TCP`.
    public func text(ofClass id: ClassID) -> String {
        var writer = ClassTextWriter()
        return writer.text(ofClass: id, in: self)
    }

    /// The numbers of a named port of a class of pods; empty when it has none.
    public func ports(ofClass id: ClassID, named name: String, _ protocol: L4Protocol) -> [UInt16] {
        let range = classes[Int(id)].ports
        if range.isEmpty { return [] }
        let symbol = symbols.symbol(of: name)
        // They are sorted by name, so those of one name are neighbours.
        var (low, high) = (Int(range.lowerBound), Int(range.upperBound))
        while high - low > fewElements {
            let middle = (low + high) / 2
            if namedPorts[middle].name < symbol { low = middle + 1 } else { high = middle }
        }
        var numbers: [UInt16] = []
        while low < Int(range.upperBound), namedPorts[low].name <= symbol {
            let port = namedPorts[low]
            if port.name == symbol, port.protocol == `protocol` { numbers.append(port.number) }
            low += 1
        }
        return numbers
    }

    /// The named ports of a class of pods.
    package func namedPorts(ofClass id: ClassID) -> [(name: String, protocol: L4Protocol, number: UInt16)] {
        let range = classes[Int(id)].ports
        if range.isEmpty { return [] }
        var found: [(name: String, protocol: L4Protocol, number: UInt16)] = []
        for place in Int(range.lowerBound)..<Int(range.upperBound) {
            let port = namedPorts[place]
            found.append((symbols[port.name], port.protocol, port.number))
        }
        return found
    }

    /// The class of a remote that is a pod, `nil` for others.
    public func podClass(of remote: RemoteID) -> ClassID? {
        let entry = remotes[Int(remote)]
        return entry.kind == .pod ? entry.podClass : nil
    }

    /// The number of a pod that has no address of its own: that of its class without an address, else the lowest of its class;
    /// `nil` if no end is of its class.
    public func number(ofClass id: ClassID) -> UInt32? {
        var lowest: UInt32?
        var next = classes[Int(id)].firstRemote
        while next >= 0 {
            let remote = remotes[Int(next)]
            if remote.references > 0 {
                if remote.blocks == 0 { return remote.number }
                lowest = min(lowest ?? .max, remote.number)
            }
            next = remote.next
        }
        return lowest
    }

    /// Whether two classes of pods have the same named ports.
    public func samePorts(_ left: ClassID, _ right: ClassID) -> Bool {
        let (left, right) = (classes[Int(left)].ports, classes[Int(right)].ports)
        return left.count == right.count
            && namedPorts[Int(left.lowerBound)..<Int(left.upperBound)]
                .elementsEqual(namedPorts[Int(right.lowerBound)..<Int(right.upperBound)])
    }

    /// Every live remote that is a pod.
    public var podRemotes: [RemoteID] {
        remotes.indices.lazy.filter { remotes[$0].kind == .pod && remotes[$0].references > 0 }
            .map { RemoteID(truncatingIfNeeded: $0) }
    }

    /// Adds a class whose key is in `classKey`.
    private mutating func addClass(_ namespace: Int32, _ portStart: Int) -> ClassID {
        let id = ClassID(truncatingIfNeeded: classes.count)
        let firstLabel = Int32(truncatingIfNeeded: labels.count)
        for word in classKey[2..<portStart] {
            let pair = LabelPair(key: UInt32(word >> 32), value: UInt32(truncatingIfNeeded: word))
            labels.append(pair)
            // Only keys that a selector has asked for have postings.
            if !postings.isEmpty { postings[pair.key]?[pair.value, default: []].append(id) }
        }
        let firstPort = Int32(truncatingIfNeeded: namedPorts.count)
        for word in classKey[portStart...] {
            namedPorts.append(
                NamedPort(
                    name: UInt32(word >> 32), protocol: L4Protocol(rawValue: UInt8(truncatingIfNeeded: word >> 16)),
                    number: UInt16(truncatingIfNeeded: word)))
        }
        classes.append(
            PodClass(
                namespace: namespace, serviceAccount: UInt32(truncatingIfNeeded: classKey[0]),
                labels: firstLabel..<Int32(truncatingIfNeeded: labels.count),
                ports: firstPort..<Int32(truncatingIfNeeded: namedPorts.count)))
        namespaces[Int(namespace)].classes.append(id)
        return id
    }

    /// Adds a word to those at the end of `classKey`: to a few of them in its place, a repetition is dropped. The others are put in order by
    /// `sortKey`.
    private mutating func insertInKey(_ word: UInt64, from start: Int) {
        if classKey.count - start >= fewElements {
            classKey.append(word)
            return
        }
        var place = classKey.count
        while place > start, classKey[place - 1] > word { place -= 1 }
        if place > start, classKey[place - 1] == word { return }
        if place == classKey.count { classKey.append(word) } else { classKey.insert(word, at: place) }
    }

    /// Sorts the words at the end of `classKey` where they are many, and drops repetitions.
    private mutating func sortKey(from start: Int) {
        if classKey.count - start <= fewElements { return }
        classKey[start...].sort()
        var end = start + 1
        for place in start + 1..<classKey.count where classKey[place] != classKey[end - 1] {
            classKey[end] = classKey[place]
            end += 1
        }
        classKey.removeSubrange(end...)
    }
}
