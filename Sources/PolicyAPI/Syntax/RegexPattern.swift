internal import CRE2

/// A compiled regular expression of RE2, the engine and dialect of the proxy. Immutable, so threads may share one.
public final class RegexPattern: Sendable {
    /// Why a text is not a usable pattern.
    public enum Problem: Error, Hashable, Sendable {
        /// It is not a valid RE2 regular expression; RE2's message.
        case syntax(String)
        /// It has this many bytes, more than `longest`.
        case tooLong(Int)
        /// Its program would need more than `memory`.
        case tooLarge
    }

    /// The maximum size of a pattern in bytes. Envoy and Cilium set no limit; a list of API paths as alternatives fits.
    public static let longest = 4_096
    /// The maximum memory of a pattern in bytes: its program (5,400 instructions of 16 bytes) and the states that matching
    /// caches. Where these do not fit, RE2 does without and stays linear.
    public static let memory = 512 << 10

    /// The pattern as written.
    public let text: String
    /// How many instructions its program has.
    public let instructions: Int
    /// Never changes, and RE2 guards what it caches.
    nonisolated(unsafe) private let compiled: OpaquePointer

    /// Compiles a pattern.
    public init(_ text: String) throws(Problem) {
        let count = text.utf8.count
        guard count <= RegexPattern.longest else { throw .tooLong(count) }
        var failure = CRE2_FAILURE_NONE
        var words = [CChar](repeating: 0, count: 256)
        var copy = text
        let compiled = copy.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                // An empty pattern may have no address; RE2 then reads none of its bytes.
                withUnsafePointer(to: 0 as CChar) { none in
                    cre2_compile(
                        characters.baseAddress ?? none, count, Int64(RegexPattern.memory), &failure, &words, words.count
                    )
                }
            }
        }
        guard let compiled else {
            if failure == CRE2_FAILURE_TOO_LARGE { throw .tooLarge }
            throw .syntax(String(decoding: words.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
        }
        self.text = text
        self.compiled = compiled
        instructions = Int(cre2_instructions(compiled))
    }

    deinit { cre2_free(compiled) }

    /// Whether all bytes match, as `matches(_:)` of a text. Bytes that are no UTF-8 match no pattern character.
    public func matches(_ bytes: Span<UInt8>) -> Bool {
        bytes.withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { cre2_matches_whole(compiled, $0.baseAddress, $0.count) }
        }
    }

    /// Whether the whole text matches. "Regexes must match the entire value" (docs/spec/cilium-network-policy.md 10.1). Linear in the text.
    public func matches(_ text: String) -> Bool {
        var copy = text
        return copy.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { cre2_matches_whole(compiled, $0.baseAddress, $0.count) }
        }
    }
}

extension RegexPattern.Problem: CustomStringConvertible {
    /// The message.
    public var description: String {
        switch self {
        case .syntax(let words): "not a valid RE2 regular expression: \(words)"
        case .tooLong(let count):
            "the pattern has \(count) bytes, at most \(RegexPattern.longest) are allowed"
        case .tooLarge: "the pattern needs more than \(RegexPattern.memory >> 10) KiB of memory"
        }
    }
}
