import NetpoldTestSupport
import Testing

/// Expects that a condition holds some time.
func expectEventually(
    _ what: String, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () throws -> Bool
) async throws {
    let holds = try await eventually(condition)
    #expect(holds, "\(what)", sourceLocation: sourceLocation)
}
