/// Writes the texts of classes of pods, one after the other. Neighbours tend to have the same label keys and ports: their order and their
/// text are kept from one to the next.
struct ClassTextWriter {
    private var bytes: [UInt8] = []
    /// Label keys of the latest class as they are stored, and their order by text.
    private var keys: [UInt32] = []
    private var order: [Int] = []
    /// Named ports of the latest class, and what is written of them.
    private var ports: [IdentityIndex.NamedPort] = []
    private var portText: [UInt8] = []

    /// `shop/app=web,tier=front sa=shop ports=http:8080/TCP in=10.0.0.0/8`; the last is `blocks`, the others are the class's. Without
    /// closures: one that captures the index copies it.
    mutating func text(ofClass id: IdentityIndex.ClassID, _ blocks: Int32 = 0, in index: IdentityIndex) -> String {
        let podClass = index.classes[Int(id)]
        bytes.removeAll(keepingCapacity: true)
        bytes += index.symbols.escapedBytes(index.namespaces[Int(podClass.namespace)].name)
        bytes.append(UInt8(ascii: "/"))
        let first = Int(podClass.labels.lowerBound)
        sort(first..<Int(podClass.labels.upperBound), of: index)
        for (place, label) in order.enumerated() {
            if place > 0 { bytes.append(UInt8(ascii: ",")) }
            let pair = index.labels[first + label]
            bytes += index.symbols.escapedBytes(pair.key)
            bytes.append(UInt8(ascii: "="))
            bytes += index.symbols.escapedBytes(pair.value)
        }
        if podClass.serviceAccount != index.keys.defaultAccount {
            bytes += " sa=".utf8
            bytes += index.symbols.escapedBytes(podClass.serviceAccount)
        }
        if !podClass.ports.isEmpty {
            write(Int(podClass.ports.lowerBound)..<Int(podClass.ports.upperBound), of: index)
            bytes += portText
        }
        if blocks != 0 { bytes += index.blockText(blocks).utf8 }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Puts the labels of a range in the order of their keys' texts.
    private mutating func sort(_ range: Range<Int>, of index: IdentityIndex) {
        var isSame = keys.count == range.count
        if isSame {
            for (place, label) in range.enumerated() where keys[place] != index.labels[label].key { isSame = false }
        }
        if isSame { return }
        keys.removeAll(keepingCapacity: true)
        for label in range { keys.append(index.labels[label].key) }
        order = Array(keys.indices)
        if order.count > fewElements {
            var texts: [String] = []
            texts.reserveCapacity(keys.count)
            for key in keys { texts.append(index.symbols[key]) }
            order.sort { texts[$0] < texts[$1] }
            return
        }
        for place in order.indices.dropFirst() {
            var hole = place
            let key = index.symbols[keys[place]]
            while hole > 0, key < index.symbols[keys[order[hole - 1]]] {
                order[hole] = order[hole - 1]
                hole -= 1
            }
            order[hole] = place
        }
    }

    /// Makes ` ports=dns:53/UDP,http:8080/TCP` of a range.
    private mutating func write(_ range: Range<Int>, of index: IdentityIndex) {
        if index.namedPorts[range].elementsEqual(ports) { return }
        ports = Array(index.namedPorts[range])
        let texts = ports.map { port in
            index.symbols.escapedText(port.name) + ":" + String(port.number) + "/" + port.protocol.description
        }
        portText = Array((" ports=" + texts.sorted().joined(separator: ",")).utf8)
    }
}
