/// Gives the lists of names of subjects their columns, and keeps them.
///
/// A *numbering* says which list each column stands for. Subjects may share one. Columns are only ever added to it: what has been
/// learnt under its number means the same as long as it is used. A numbering that is full of lists that nobody asks for any more
/// is left for a new one, and no number is ever used again.
public struct NameColumns: Hashable, Sendable {
    /// The greatest number of columns of a numbering.
    public static let limit = 32

    /// By number: the list of each column.
    public private(set) var numberings: [UInt32: [NameList]] = [:]
    /// By `SubjectImage.key`: the numbering of the subject.
    public private(set) var subjects: [String: UInt32] = [:]
    /// The next number that is given.
    public private(set) var next: UInt32

    /// Nothing numbered yet; numbers begin with `next`, at least 1.
    public init(next: UInt32 = 1) { self.next = max(next, 1) }

    /// What was kept of an earlier one. Subjects without their numbering, and numberings with too many columns or a list twice, are
    /// left out; `next` is raised above all numbers.
    public init(numberings: [UInt32: [NameList]], subjects: [String: UInt32], next: UInt32) {
        let sound = numberings.filter {
            $0.key > 0 && $0.key < .max && $0.value.count <= NameColumns.limit && Set($0.value).count == $0.value.count
        }
        self.numberings = sound
        self.subjects = subjects.filter { sound[$0.value] != nil }
        self.next = max(next, (numberings.keys.filter { $0 < .max }.max() ?? 0) + 1, 1)
    }

    /// The number of a subject's numbering, in which these lists have columns as far as there are any; 0 without lists.
    public mutating func numbering(of subject: String, _ lists: Set<NameList>) -> UInt32 {
        if lists.isEmpty { return 0 }
        let sorted = lists.sorted()
        if let own = subjects[subject], let known = numberings[own] {
            let missing = sorted.filter { !known.contains($0) }
            let room = NameColumns.limit - known.count
            // A new numbering helps only where it takes more of the lists.
            if missing.count <= room || lists.count - missing.count + room >= min(lists.count, NameColumns.limit) {
                if !missing.isEmpty { numberings[own] = known + missing.prefix(room) }
                return own
            }
        }
        let shared = numberings.keys.sorted().first { number in lists.isSubset(of: numberings[number] ?? []) }
        let number = shared ?? take(Array(sorted.prefix(NameColumns.limit)))
        subjects[subject] = number
        dropUnused()
        return number
    }

    /// The column of each list in a numbering.
    public func columns(of number: UInt32) -> [NameList: Int] {
        var found: [NameList: Int] = [:]
        for (column, list) in (numberings[number] ?? []).enumerated() { found[list] = column }
        return found
    }

    /// A subject is no more.
    public mutating func forget(_ subject: String) {
        if subjects.removeValue(forKey: subject) != nil { dropUnused() }
    }

    /// Numbers below this one are not given any more: something else knows them.
    public mutating func skip(to number: UInt32) { next = max(next, number) }

    private mutating func take(_ lists: [NameList]) -> UInt32 {
        // The highest bit is a flag where numbers are written.
        guard next < 1 << 31 else { return 0 }
        numberings[next] = lists
        next += 1
        return next - 1
    }

    private mutating func dropUnused() {
        let used = Set(subjects.values)
        numberings = numberings.filter { used.contains($0.key) }
    }
}
