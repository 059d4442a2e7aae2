import Foundation
import NetpoldTestSupport
import Testing

/// The laws that the fuzz targets (`make fuzz`) ask of their inputs, asked of what they found and of mutated examples.
@Suite("Laws of inputs")
struct FuzzedInputTests {
    private static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    private static func files(in folder: String) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(
            at: package.appendingPathComponent(folder), includingPropertiesForKeys: nil
        ).filter { !$0.hasDirectoryPath && $0.pathExtension != "md" }.sorted { $0.path < $1.path }
    }

    private static func inputs(_ folder: String) throws -> [[UInt8]] {
        try files(in: folder).map { [UInt8](try Data(contentsOf: $0)) }
    }

    @Test("What fuzzing found keeps the laws of manifests")
    func manifests() throws {
        for bytes in try Self.inputs("Tests/Fuzzed/manifests") { try ManifestLaws.check(bytes) }
    }

    @Test("What fuzzing found keeps the laws of addresses, selectors and names")
    func values() throws {
        let inputs = try Self.inputs("Tests/Fuzzed/values")
        #expect(!inputs.isEmpty)
        for bytes in inputs { try ValueLaws.check(bytes) }
    }

    @Test("What fuzzing found is read of an API server as of a manifest")
    func wire() throws {
        let inputs = try Self.inputs("Tests/Fuzzed/wire")
        #expect(!inputs.isEmpty)
        for bytes in inputs { try WireLaws.check(bytes) }
    }

    @Test("What fuzzing found is decided by the image as by the evaluator")
    func verdicts() throws {
        for bytes in try Self.inputs("Tests/Fuzzed/verdicts") { try VerdictLaws.check(bytes) }
    }

    @Test("Examples with random bytes, lines and words changed keep every law", arguments: UInt64(1)...20)
    func mutated(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let examples = try Self.inputs("examples/shop")
        for _ in 0..<5 {
            var bytes = random.pick(examples)
            for _ in 0...random.below(4) { Self.mutate(&bytes, with: random.pick(examples), &random) }
            try ManifestLaws.check(bytes)
            try VerdictLaws.check(bytes)
        }
    }

    private static func mutate(_ bytes: inout [UInt8], with other: [UInt8], _ random: inout SplitMix64) {
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let place = random.below(lines.count)
        switch random.below(5) {
        case 0 where !bytes.isEmpty:
            bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next())
            return
        case 1: lines.remove(at: place)
        case 2: lines.insert(lines[random.below(lines.count)], at: place)
        case 3: lines[place] = "  "[...].utf8 + lines[place]
        default:
            let others = other.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            lines.insert(random.pick(others), at: place)
        }
        bytes = Array(lines.joined(separator: [UInt8(ascii: "\n")]))
    }
}
