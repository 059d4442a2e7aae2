/// A place in a program under construction that jumps go to. Made by `ProgramBuilder.label`, placed once.
public struct Label: Hashable, Sendable {
    let number: Int
    /// For error messages.
    public let name: String
}
