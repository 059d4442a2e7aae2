import BPFEmit
import NetTypes

/// What differs between two images, by member.
func differences(_ left: NodeImage, _ right: NodeImage) -> [String] {
    var found: [String] = []
    func compare<Entry: Hashable>(_ what: String, _ left: [Entry], _ right: [Entry]) {
        if left == right { return }
        found.append("\(what): \(left.filter { !right.contains($0) }) / \(right.filter { !left.contains($0) })")
    }
    compare("identities", left.identities, right.identities)
    compare("addresses", left.addresses, right.addresses)
    compare("prefixes", left.prefixes, right.prefixes)
    compare("endpoints", left.endpoints, right.endpoints)
    compare("services", left.services, right.services)
    if left.subjects.map(\.key) != right.subjects.map(\.key) { found.append("subjects") }
    for (one, other) in zip(left.subjects, right.subjects) where one != other {
        for direction in Direction.allCases where one[direction] != other[direction] {
            let (left, right) = (one[direction], other[direction])
            let place = "\(direction) of \(one.key)"
            compare("\(place): peers", Array(left.peers), Array(right.peers))
            compare("\(place): bits", left.bits, right.bits)
            compare("\(place): isolated by", left.isolatedBy, right.isolatedBy)
            if left.program != right.program { found.append("\(place): programs") }
        }
    }
    return found
}

/// What an image with a delta applied lacks to be the one after it.
func lacking(_ delta: NodeDelta, on before: NodeImage, towards after: NodeImage) -> [String] {
    var found: [String] = []
    var addresses = Dictionary(uniqueKeysWithValues: before.addresses.map { ($0.address, $0.identity) })
    for change in delta.addresses { addresses[change.address] = change.identity }
    if addresses != Dictionary(uniqueKeysWithValues: after.addresses.map { ($0.address, $0.identity) }) {
        found.append("addresses")
    }
    var prefixes = Dictionary(uniqueKeysWithValues: before.prefixes.map { ($0.prefix, $0.identity) })
    for change in delta.prefixes { prefixes[change.prefix] = change.identity }
    if prefixes != Dictionary(uniqueKeysWithValues: after.prefixes.map { ($0.prefix, $0.identity) }) {
        found.append("prefixes")
    }
    // Identity 0 is nobody's: whether it has a record is no change of identities.
    let named = { (image: NodeImage) in
        Dictionary(uniqueKeysWithValues: image.identities.filter { $0.number != 0 }.map { ($0.number, $0.label) })
    }
    var identities = named(before)
    for number in delta.retiredIdentities { identities[number] = nil }
    for record in delta.newIdentities { identities[record.number] = record.label }
    if identities != named(after) { found.append("identities") }
    if !delta.changesEndpoints, before.endpoints != after.endpoints { found.append("endpoints") }
    if !delta.changesServices, before.services != after.services { found.append("services") }

    let old = Dictionary(uniqueKeysWithValues: before.subjects.map { ($0.key, $0) })
    for subject in after.subjects {
        for direction in Direction.allCases {
            if delta.programs.contains(.init(subject: subject.key, direction: direction)) { continue }
            guard let was = old[subject.key]?[direction] else {
                found.append("new subject \(subject.key)")
                continue
            }
            var peers = Dictionary(uniqueKeysWithValues: was.peers.map { ($0.identity, $0.words) })
            for change in delta.peers where change.direction == direction && change.subjects.contains(subject.key) {
                peers[change.identity] = change.words.isEmpty ? nil : change.words
            }
            var patched = subject[direction]
            if peers != Dictionary(uniqueKeysWithValues: patched.peers.map { ($0.identity, $0.words) }) {
                found.append("peers \(direction) \(subject.key)")
            }
            patched.peers = was.peers
            if patched != was { found.append("program \(direction) \(subject.key)") }
        }
    }
    return found
}
