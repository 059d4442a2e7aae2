import BPFEmit
import NetTypes
import PolicyIR

/// `netpold compile --emit json`. Numbers wider than 53 bits are hexadecimal texts.
struct CompileReport: Encodable {
    struct Identity: Encodable {
        var number: UInt32
        var label: String
    }
    struct Entry: Encodable {
        var key: String
        var identity: UInt32
    }
    struct Endpoint: Encodable {
        var namespace: String
        var name: String
        var uid: String
        var addresses: [String]
        var identity: UInt32
        var subject: String
    }
    struct Rule: Encodable {
        var rule: Int
        var action: String
        var l7: Bool
        var origin: String
    }
    struct Peer: Encodable {
        var identity: UInt32
        var words: [String]
    }
    struct Policy: Encodable {
        var isolatedBy: [String]
        /// `never`, `mirror` or `always`: whether allowed packets need a flow entry.
        var flowState: String
        var bits: [Rule]
        var words: Int
        var peers: [Peer]
        /// The number of the numbering of the columns; 0: there is none.
        var names: UInt32
        var columns: [Column]
        var leftOut: [LeftOut]
        var instructions: [String]
        var mapReferences: [Int: String]
    }
    struct Column: Encodable {
        var number: Int
        var names: [String]
        var words: [String]
    }
    struct LeftOut: Encodable {
        var rule: String
        var reason: String
    }
    struct Names: Encodable {
        var patterns: [String]
        var states: Int
        var sets: Int
        var leftOut: [String]
    }
    struct Subject: Encodable {
        var key: String
        var ingress: Policy
        var egress: Policy
    }

    /// Version of this shape.
    var version = 1
    var node: String
    var identities: [Identity]
    var addresses: [Entry]
    var prefixes: [Entry]
    var endpoints: [Endpoint]
    var subjects: [Subject]
    /// The automaton of all names that policies ask about.
    var names: Names

    init(_ image: NodeImage, _ state: CompilerState) {
        node = state.localNode
        let tables = image.names
        names = Names(
            patterns: tables.patterns.map(\.text), states: tables.automaton.stateCount, sets: tables.setCount,
            leftOut: tables.leftOut)
        identities = image.identities.map { Identity(number: $0.number, label: $0.label) }
        addresses = image.addresses.map { Entry(key: "\($0.address)", identity: $0.identity) }
        prefixes = image.prefixes.map { Entry(key: "\($0.prefix)", identity: $0.identity) }
        endpoints = image.endpoints.map {
            Endpoint(
                namespace: $0.namespace, name: $0.name, uid: $0.uid, addresses: $0.addresses.map(\.description),
                identity: $0.identity, subject: $0.subject)
        }
        subjects = image.subjects.map {
            Subject(
                key: $0.key, ingress: CompileReport.policy($0, .ingress), egress: CompileReport.policy($0, .egress))
        }
    }

    private static func policy(_ subject: SubjectImage, _ direction: Direction) -> Policy {
        let image = subject[direction]
        return Policy(
            isolatedBy: image.isolatedBy.map(\.description),
            flowState: "\(subject.stateNeeds[direction])",
            bits: image.bits.map {
                Rule(rule: $0.rule, action: "\($0.action)", l7: $0.isL7, origin: $0.origin.description)
            },
            words: image.words,
            peers: image.peers.map { Peer(identity: $0.identity, words: $0.words.map(hex)) },
            names: image.names,
            columns: image.columns.map {
                Column(number: $0.number, names: $0.list.texts, words: $0.words.map(hex))
            },
            leftOut: image.leftOut.map { LeftOut(rule: $0.origin.description, reason: $0.description) },
            instructions: image.program.instructions.map(hex),
            mapReferences: Dictionary(
                image.program.mapReferences.map { ($0.slot, $0.map.rawValue) }, uniquingKeysWith: { first, _ in first })
        )
    }

    private static func hex(_ number: UInt64) -> String { "0x" + String(number, radix: 16) }
}
