import BPFEmit
import NetTypes
import PolicyAPI
public import PolicyIR

/// What an agent writes down about names, for the next one: what pods have learnt, and what the columns in the kernel stand for.
public struct NameRecords: Codable, Hashable, Sendable {
    /// What a pod has learnt.
    public struct Pod: Codable, Hashable, Sendable {
        var namespace: String
        var name: String
        var uid: String
        /// By name, the addresses with their ends: seconds since the start of the machine.
        var names: [String: [String: UInt32]]

        init(_ key: EndpointKey, _ names: [String: [IPAddress: UInt32]]) {
            namespace = key.namespace
            name = key.name
            uid = key.uid
            self.names = names.mapValues { addresses in
                Dictionary(addresses.map { ("\($0.key)", $0.value) }) { first, _ in first }
            }
        }

        /// The pod.
        var key: EndpointKey { EndpointKey(namespace: namespace, name: name, uid: uid) }
    }
}

/// What the columns of names in the kernel stand for, as it is written down before the kernel goes by it.
public struct ColumnRecords: Codable, Hashable, Sendable {
    struct Selector: Codable, Hashable {
        var name: String?
        var pattern: String?
    }
    struct Numbering: Codable, Hashable {
        var number: UInt32
        var lists: [[Selector]]
    }

    /// Counted up with each writing. The kernel has that of the latest one that it goes by: an older file is not believed.
    public var record: UInt32
    var next: UInt32
    var numberings: [Numbering]
    var subjects: [String: UInt32]

    /// A record of columns.
    public init(_ columns: NameColumns, record: UInt32) {
        self.record = record
        next = columns.next
        numberings = columns.numberings.sorted { $0.key < $1.key }.map { number, lists in
            Numbering(
                number: number,
                lists: lists.map { list in
                    list.selectors.map { selector in
                        switch selector {
                        case .name(let text): Selector(name: text, pattern: nil)
                        case .pattern(let text): Selector(name: nil, pattern: text)
                        }
                    }
                })
        }
        subjects = columns.subjects
    }

    /// The columns.
    public var columns: NameColumns {
        var found: [UInt32: [NameList]] = [:]
        for numbering in numberings {
            found[numbering.number] = numbering.lists.map { list in
                NameList(list.compactMap { $0.name.map(FQDNSelector.name) ?? $0.pattern.map(FQDNSelector.pattern) })
            }
        }
        return NameColumns(numberings: found, subjects: subjects, next: next)
    }

    /// The columns to go on with: those of the file if the kernel goes by no later one.
    ///
    /// - Parameters:
    ///   - file: what was read; `nil`: nothing.
    ///   - record: the serial number that the kernel has.
    ///   - next: numbers below this one may be known to the kernel.
    /// - Returns: the columns, and the serial number of the latest record.
    public static func adopt(
        _ file: ColumnRecords?, record: UInt32, next: UInt32
    ) -> (columns: NameColumns, record: UInt32) {
        guard let file, file.record >= record else { return (NameColumns(next: next), record) }
        var columns = file.columns
        columns.skip(to: next)
        return (columns, file.record)
    }
}
