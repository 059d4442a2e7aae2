/// The path from the root of an object to one of its values. Parents are shared, so a path costs one small object; its
/// text is made only when a message needs it.
public final class DocumentPath: Sendable {
    /// One step.
    enum Step: Sendable {
        case key(String)
        case index(Int)
    }

    private let parent: DocumentPath?
    private let step: Step?

    private init(parent: DocumentPath?, step: Step?) {
        self.parent = parent
        self.step = step
    }

    /// The path of an object itself: empty. Each object has one of its own, so that CPUs that read different objects do not count
    /// references to the same one.
    public static var root: DocumentPath { DocumentPath(parent: nil, step: nil) }

    /// The path of the value under a key.
    public func appending(key: String) -> DocumentPath { DocumentPath(parent: self, step: .key(key)) }

    /// The path of a list element, from 0.
    public func appending(index: Int) -> DocumentPath { DocumentPath(parent: self, step: .index(index)) }
}

extension DocumentPath: CustomStringConvertible {
    /// For example `spec.ingress[0].ports`; keys that are not plain words are quoted: `matchLabels["k8s:app"]`.
    public var description: String {
        var steps: [Step] = []
        var place: DocumentPath? = self
        while let current = place {
            if let step = current.step { steps.append(step) }
            place = current.parent
        }
        var text = ""
        for step in steps.reversed() {
            switch step {
            case .index(let index): text += "[\(index)]"
            case .key(let key) where DocumentPath.isWord(key): text += text.isEmpty ? key : ".\(key)"
            case .key(let key): text += "[\"\(key)\"]"
            }
        }
        return text
    }

    private static func isWord(_ key: String) -> Bool {
        !key.isEmpty
            && key.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}
