/// What is read of an API server at most.
public enum KubeLimits {
    /// Bytes of one answer that is read as a whole, decompressed.
    public static let answerBytes = 64 << 20
    /// Bytes of a refusal's body; the rest is not looked at.
    public static let refusalBytes = 64 << 10
    /// Bytes of one event of a watch.
    public static let eventBytes = 16 << 20
}
