(* Maxima of maxima: two are equal where each reads every value that the other one reads. *)
From Symconv Require Export Follow.

Section Reads.
Variables (V : Type) (O : Order V).
Lemma maximum_some {A} none (l : list A) (f : A -> V) a : In a l ->
  (exists x, In x l /\ maximum O none l f = f x) /\ forall x, In x l -> le O (f x) (maximum O none l f) = true.
Proof.
  intros I. unfold maximum. destruct (max_of O l f) as [m|] eqn:E.
  - apply max_some in E as [[x [X <-]] U]. eauto.
  - apply max_none in E. subst. destruct I.
Qed.
Lemma maximum_most {A} none (l : list A) (f : A -> V) a m :
  In a l -> (forall x, In x l -> le O (f x) m = true) -> le O (maximum O none l f) m = true.
Proof. intros I H. destruct (maximum_some none l f a I) as [[x [X ->]] _]. auto. Qed.
Lemma maximum_ext {A} none (l : list A) (f g : A -> V) : (forall x, f x = g x) -> maximum O none l f = maximum O none l g.
Proof. intros H. unfold maximum. replace (max_of O l f) with (max_of O l g); auto. induction l as [|x l IH]; cbn; rewrite ?IH, ?H; auto. Qed.
(* Every tap (x, y) on the left reads what the tap phi on the right reads, and every tap z on the right what (psi, chi). *)
Theorem maximum_reads {A B C} none (l : list A) (l' : list B) (k : list C) (h : A -> V) (f : A -> B -> V) (g : C -> V)
    (phi : A -> B -> C) (psi : C -> A) (chi : C -> B) a b c :
  (forall x, h x = maximum O none l' (f x)) -> In a l /\ In b l' /\ In c k ->
  (forall x y, In x l -> In y l' -> In (phi x y) k /\ f x y = g (phi x y)) ->
  (forall z, In z k -> In (psi z) l /\ In (chi z) l' /\ g z = f (psi z) (chi z)) ->
  maximum O none l h = maximum O none k g.
Proof.
  intros H (IA & IB & IC) F G. apply (le_antisym O).
  - apply (maximum_most none l h a _ IA). intros x X. rewrite H. apply (maximum_most none l' _ b _ IB). intros y Y.
    destruct (F x y X Y) as [K ->]. apply (maximum_some none k g c IC), K.
  - apply (maximum_most none k g c _ IC). intros z Z. destruct (G z Z) as (X & Y & ->).
    eapply le_trans; [|apply (maximum_some none l h (psi z) X), X]. rewrite H.
    apply (maximum_some none l' (f (psi z)) (chi z) Y), Y.
Qed.
End Reads.

(* How a certificate follows the taps that symconv found.  Nothing here need be believed. *)
Ltac put_numbers_in := repeat match goal with H : Z.pos _ = ?x |- _ => is_var x; subst x end.
Ltac sizes_agree := put_numbers_in; repeat lazymatch goal with |- _ /\ _ => split end; zs.
Ltac inner_maximum := intros; pairs_in_context; apply maximum_ext; intros; pairs_in_context; alike.
Ltac some_taps := put_numbers_in; repeat split; point.
Ltac tap_by n d := pose proof (floor_spec n d ltac:(zs)); facts; assert (0 <= n / d) by zs.
Ltac minima := repeat match goal with |- context [Z.min ?a ?b] =>
  let E := fresh in destruct (Z.min_spec a b) as [[? E]|[? E]]; rewrite E; clear E end.
Ltac a_tap := put_numbers_in; intros; pairs_in_context; facts; cbn beta iota; minima; repeat lazymatch goal with |- _ /\ _ => split end;
  lazymatch goal with |- In _ _ => point | _ => alike end.
