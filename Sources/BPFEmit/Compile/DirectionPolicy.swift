import NetTypes
import PolicyIR

/// A compiled policy of one direction, shared by all subjects to which the same policies apply alike.
struct DirectionPolicy: Sendable {
    /// What makes two subjects share it.
    struct Key: Hashable {
        var direction: Direction
        /// The numbers of the policies that apply.
        var policies: [Int]
        /// A class of pods with the subject's named ports, if an ingress rule asks for them; -1 otherwise.
        var ports: IdentityIndex.ClassID
        /// The numbering of the columns of names; 0 without names.
        var names: UInt32
    }

    /// What it is found by.
    let key: Key
    /// What applies.
    let policy: SubjectPolicy
    /// A class of pods whose named ports stand for the subjects'.
    let subject: IdentityIndex.ClassID
    /// The peers of each rule; `nil`: everyone.
    let peers: [[IdentityIndex.TermID]?]
    /// The peer that is the local node, if it reaches the subjects in spite of isolation.
    let host: IdentityIndex.TermID?
    /// The columns of its lists of names.
    let columns: [NameList: Int]
    /// The image; empty until it is compiled.
    var image = PolicyImage(
        program: EncodedProgram(instructions: [], mapReferences: []), words: 0, peers: [], bits: [], isolatedBy: [],
        strictness: .isolating)
    /// The bits of the image, without the host bit; none where the policy could not be compiled.
    var bits: [PolicyBits.Bit] = []
    /// Who carries each bit.
    var carriers: [DirectionCompiler.Carriers] = []
    /// How many entries of `image.peers` carry each bit (the host bit last). The program leaves out what nobody carries, so a
    /// change between none and some changes it.
    var carried: [Int32] = []
    /// Names that egress rules look up on remote ends.
    var names: Set<TrafficResolver.PortName> = []
    /// Numbers of the subjects that use it.
    var subjects: Set<Int> = []

    /// The direction.
    var direction: Direction { key.direction }

    /// The distinct peers that it asks for.
    var terms: Set<IdentityIndex.TermID> {
        var found = Set(peers.lazy.compactMap(\.self).joined())
        if let host { found.insert(host) }
        return found
    }

    /// Counts bits of an entry up or down. Returns whether a bit came to be carried by somebody, or by nobody.
    mutating func count(_ words: [UInt64], by step: Int32) -> Bool {
        var changed = false
        for (word, value) in words.enumerated() {
            var rest = value
            while rest != 0 {
                let bit = word * 64 + rest.trailingZeroBitCount
                rest &= rest - 1
                carried[bit] += step
                if carried[bit] == (step > 0 ? 1 : 0) { changed = true }
            }
        }
        return changed
    }

    /// Counts the bits of entries up.
    mutating func count(_ entries: PeerTable) {
        var times = [Int32](repeating: 0, count: entries.values.count)
        for row in entries.rows { times[Int(row.value)] += 1 }
        for (words, times) in zip(entries.values, times) { _ = count(words, by: times) }
    }

    /// The columns that carry bits, by number, with so many words each.
    func nameColumns(_ width: Int) -> [PolicyBits.Column] {
        var words: [Int: [UInt64]] = [:]
        for (bit, carrier) in carriers.enumerated() {
            guard let column = carrier.column else { continue }
            words[column, default: Array(repeating: 0, count: width)][bit / 64] |= 1 << UInt64(bit % 64)
        }
        return columns.compactMap { list, number in
            words[number].map { PolicyBits.Column(number: number, list: list, words: $0) }
        }.sorted { $0.number < $1.number }
    }

    /// The bits that somebody carries, as words.
    func carriedWords(_ width: Int) -> [UInt64] {
        var words = [UInt64](repeating: 0, count: width)
        for (bit, times) in carried.enumerated() where times > 0 { words[bit / 64] |= 1 << UInt64(bit % 64) }
        return words
    }
}
