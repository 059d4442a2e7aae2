public import Foundation
internal import PolicyAPI

extension RuleSnapshot {
    /// The file's bytes. Equal snapshots give equal bytes.
    public func json() throws(SnapshotProblem) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        do {
            return try encoder.encode(self)
        } catch {
            throw .form("\(error)")
        }
    }

    /// Reads a file's bytes.
    public init(json data: Data) throws(SnapshotProblem) {
        guard data.count <= RuleSnapshot.largest else { throw .tooLarge(data.count) }
        struct Head: Decodable {
            var format: String
            var version: Int
        }
        do {
            let head = try JSONDecoder().decode(Head.self, from: data)
            guard head.format == "netpold-proxy-rules" else {
                throw SnapshotProblem.form("its format is \(head.format)")
            }
            guard head.version == RuleSnapshot.currentVersion else { throw SnapshotProblem.version(head.version) }
            self = try JSONDecoder().decode(RuleSnapshot.self, from: data)
        } catch let problem as SnapshotProblem {
            throw problem
        } catch {
            throw .form("\(error)")
        }
    }
}
