import Testing

@testable import Support

@Suite("Terminals")
struct TerminalTests {
    @Test("one that calls itself dumb gets no control sequences")
    func dumb() {
        #expect(!Terminal.knowsSequences("dumb"))
        #expect(Terminal.knowsSequences("xterm-256color"))
        // Where nobody says, as in a container's shell.
        #expect(Terminal.knowsSequences(nil))
    }
}
