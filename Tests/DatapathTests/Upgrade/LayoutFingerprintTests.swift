import CNetpoldABI
import Foundation
import NetpoldTestSupport
import Testing

@testable import Datapath

/// Maps are pinned and outlive the programs: what is in them belongs to the version of the layouts, private structs included.
@Suite("the layouts of a version")
struct LayoutFingerprintTests {
    /// Every map with its type, and every field of its keys and values; then the record of the ring.
    private static func text(of object: BPFObject) throws -> String {
        let layouts = object.mapLayouts
        var lines: [String] = []
        for (name, shape) in object.declaredMaps.sorted(by: { $0.name < $1.name }) {
            lines.append("\(name): type \(shape.type), flags \(shape.flags)")
            if let layout = layouts[name] {
                lines.append("  key \(layout.key)")
                lines.append("  value \(layout.value)")
            }
        }
        let event = try #require(BTFCheck.structures.first { $0.name == "np_event" })
        lines.append("np_event: \(event.size) bytes")
        for (field, offset) in event.offsets.sorted(by: { $0.value < $1.value }) {
            lines.append("  \(field) \(offset)")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static var file: URL {
        URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Golden/abi/v\(NP_ABI_VERSION).txt")
            .standardized
    }

    @Test("whoever changes a struct of a map gives NP_ABI_VERSION another number: what a version was stays recorded")
    func unchanged() throws {
        let text = try Self.text(of: BPFObject())
        guard FileManager.default.fileExists(atPath: Self.file.path()) else {
            try FileManager.default.createDirectory(
                at: Self.file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: Self.file, atomically: false, encoding: .utf8)
            Issue.record("recorded \(Self.file.path()): commit it, and never change it")
            return
        }
        // RECORD_SNAPSHOTS has no say here.
        let recorded = try String(contentsOf: Self.file, encoding: .utf8)
        let old = Set(recorded.split(separator: "\n"))
        let new = Set(text.split(separator: "\n"))
        #expect(
            recorded == text,
            """
            the layouts of version \(NP_ABI_VERSION) are others than recorded: raise NP_ABI_VERSION and run this test once.
            was: \(old.subtracting(new).sorted())
            is: \(new.subtracting(old).sorted())
            """)
    }

    @Test("the record tells each kind of change", arguments: SecondVersion.Change.allCases)
    func tells(change: SecondVersion.Change) throws {
        // Its number is not recorded. These are compiled for the tests of upgrades too.
        let second = try change == .limits ? SecondVersion(change, number: Int(NP_ABI_VERSION)) : SecondVersion(change)
        let isOther = try Self.text(of: BPFObject(bytes: second.object)) != Self.text(of: BPFObject())
        #expect(isOther == (change != .limits))
    }

    @Test("every map with structs has types by which other versions read it")
    func types() throws {
        let object = try BPFObject()
        // What is under way in one packet, in one ClientHello or in one lesson is nobody's to carry over.
        let passing: Set = ["np_dns_scratch", "np_hello_copies", "np_lesson_scratch"]
        for (map, structs) in object.structsOfMaps where !structs.isEmpty && !passing.contains(map) {
            #expect(object.mapLayouts[map] != nil, "\(map)")
        }
    }
}
