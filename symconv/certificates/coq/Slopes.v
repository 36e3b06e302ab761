(* Derivatives from first principles, powers of e and logarithms, by the laws that those of real functions have. *)
From Symconv Require Export Subgradients.

(* ---- a reader must believe these definitions, as those of Definitions.v ---- *)
(* slope D f x d: the function f has the derivative d at x. *)
Record Slopes (R : CRing) := {
  slope : (R -> R) -> R -> R -> Prop;
  slope_unique : forall f x d e, slope f x d -> slope f x e -> d = e;
  slope_same : forall f g x d, (forall v, f v = g v) -> slope f x d -> slope g x d;
  slope_constant : forall c x, slope (fun _ => c) x zero;
  slope_self : forall x, slope (fun v => v) x one;
  slope_add : forall f g x d e, slope f x d -> slope g x e -> slope (fun v => f v ⊕ g v) x (d ⊕ e);
  slope_mul : forall f g x d e, slope f x d -> slope g x e -> slope (fun v => f v · g v) x (d · g x ⊕ f x · e);
  slope_chain : forall f g x d e, slope f x d -> slope g (f x) e -> slope (fun v => g (f v)) x (e · d) }.
Arguments slope {_}.
(* Powers of e and logarithms. *)
Record Elementary (F : OField) (D : Slopes F) := {
  exp : F -> F; ln : F -> F;
  exp_positive : forall x, zero ≼ exp x /\ exp x <> zero;
  exp_slope : forall x, slope D exp x (exp x);
  ln_slope : forall x, zero ≼ x -> x <> zero -> slope D ln x (inverse x);
  ln_exp : forall x, ln (exp x) = x;
  ln_mul : forall x y, zero ≼ x -> x <> zero -> zero ≼ y -> y <> zero -> ln (x · y) = ln x ⊕ ln y }.
Arguments exp {_ _}. Arguments ln {_ _}.
(* ---- the rest is proved ---- *)

Section Slopes.
Variables (R : CRing) (D : Slopes R).
Add Ring values : (laws R).
Lemma slope_by f x d e : slope D f x d -> d = e -> slope D f x e.
Proof. congruence. Qed.
Lemma slope_sum {A} (l : list A) (f : A -> R -> R) x (d : A -> R) :
  (forall k, In k l -> slope D (f k) x (d k)) -> slope D (fun v => sum l (fun k => f k v)) x (sum l d).
Proof.
  induction l as [|k l IH]; cbn; intros H; [apply slope_constant|]. apply (slope_add R D); [apply H; auto|]. apply IH; auto.
Qed.
Lemma slope_times c f x d : slope D f x d -> slope D (fun v => c · f v) x (c · d).
Proof. intros H. eapply slope_by; [apply slope_mul; [apply slope_constant | exact H]|]. cbn beta. ring. Qed.
(* An entry of an array one of whose entries varies. *)
Lemma slope_entry (a : Z -> R) i k x : slope D (fun v => if k =? i then v else a k) x (iv (k =? i) one).
Proof. destruct (k =? i); [apply slope_self | apply slope_constant]. Qed.
End Slopes.

Section Softmax.
Variables (F : OField) (D : Slopes F) (E : Elementary F D).
Add Ring numbers : (laws F).
Notation taps n := (range 0 (n - 1)).
Lemma powers_positive n (a : Z -> F) : 1 <= n -> zero ≼ sum (taps n) (fun j => exp E (a j)) /\ sum (taps n) (fun j => exp E (a j)) <> zero.
Proof.
  intros N. assert (P : forall x, zero ≼ exp E x) by (intros; apply exp_positive).
  assert (H : forall l, zero ≼ sum l (fun j => exp E (a j))).
  { intros l. replace (@zero F) with (sum l (fun _ => @zero F)) by apply sum_zero. apply sum_below. auto. }
  split; auto. intros Z. unfold range in Z. destruct (Z.to_nat (n - 1 - 0 + 1)) as [|m] eqn:M; [lia|]. cbn [seq map sum] in Z.
  set (s := sum _ _) in Z. assert (S : zero ≼ s) by apply H. set (e := exp E (a (0 + Z.of_nat 0))) in Z.
  apply (proj2 (exp_positive F D E (a (0 + Z.of_nat 0)))). fold e. apply (le_antisym order_of); [|apply P].
  rewrite <- Z. replace e with (e ⊕ zero) at 1 by ring. apply below_add; [apply le_refl | exact S].
Qed.
Lemma sum_at n (c : Z -> F) i : 0 <= i <= n - 1 -> sum (taps n) (fun k => c k · iv (k =? i) one) = c i.
Proof.
  intros I. rewrite (sum_only F i); [rewrite Z.eqb_refl; cbn; ring | apply nodup_range | apply in_range, I |].
  intros k _ K. apply Z.eqb_neq in K. rewrite K. cbn. ring.
Qed.
(* The logarithm of the sum of the powers of e of all entries. *)
Lemma slope_total n (a : Z -> F) i : 1 <= n -> 0 <= i <= n - 1 ->
  slope D (fun v => ln E (sum (taps n) (fun j => exp E (if j =? i then v else a j)))) (a i)
    (exp E (a i) · inverse (sum (taps n) (fun j => exp E (a j)))).
Proof.
  intros N I. destruct (powers_positive n a N) as [P Q]. eapply slope_by.
  - apply (slope_chain F D (fun v => sum (taps n) (fun j => exp E (if j =? i then v else a j))) (ln E)).
    + apply (slope_sum F D (taps n) (fun j v => exp E (if j =? i then v else a j)) (a i) (fun j => exp E (a j) · iv (j =? i) one)). intros j _.
      apply (slope_chain F D (fun v => if j =? i then v else a j) (exp E)); [apply slope_entry|].
      replace (if j =? i then a i else a j) with (a j) by (destruct (Z.eqb_spec j i); congruence). apply exp_slope.
    + cbn beta. erewrite sum_ext; [apply ln_slope; [exact P | exact Q]|]. intros j _. cbn beta.
      destruct (Z.eqb_spec j i); congruence.
  - rewrite (sum_at n (fun j => exp E (a j))) by auto. ring.
Qed.
Notation score_loss n y a := (inj (- (1)) · sum (taps n) (fun i => y i · (a i ⊕ inj (- (1)) · ln E (sum (taps n) (fun j => exp E (a j)))))).
Theorem prediction n (a y : Z -> F) i : 1 <= n -> 0 <= i <= n - 1 ->
  slope D (fun v => score_loss n y (fun k => if k =? i then v else a k)) (a i)
    ((exp E (a i) · inverse (sum (taps n) (fun j => exp E (a j)))) · sum (taps n) y ⊕ inj (- (1)) · y i).
Proof.
  intros N I. eapply slope_by.
  - apply (slope_times F D). apply (slope_sum F D (taps n)
      (fun k v => y k · ((if k =? i then v else a k) ⊕ inj (- (1)) · ln E (sum (taps n) (fun j => exp E (if j =? i then v else a j))))) (a i)
      (fun k => y k · (iv (k =? i) one ⊕ inj (- (1)) · (exp E (a i) · inverse (sum (taps n) (fun j => exp E (a j))))))).
    intros k _. apply (slope_times F D). apply (slope_add F D); [apply slope_entry|].
    apply (slope_times F D). apply slope_total; auto.
  - set (p := exp E (a i) · inverse (sum (taps n) (fun j => exp E (a j)))).
    transitivity (@inj F (- (1)) · (sum (taps n) (fun k => y k · iv (k =? i) one) ⊕ inj (- (1)) · p · sum (taps n) y)).
    + apply (f_equal (mul _)). rewrite mul_sum, <- sum_add. apply sum_ext. intros; ring.
    + rewrite sum_at, neg_one by auto. ring.
Qed.
Theorem prediction_minus_target n (a y : Z -> F) i : 1 <= n -> sum (taps n) y = one -> 0 <= i <= n - 1 ->
  slope D (fun v => score_loss n y (fun k => if k =? i then v else a k)) (a i)
    (exp E (a i) · inverse (sum (taps n) (fun j => exp E (a j))) ⊕ inj (- (1)) · y i).
Proof. intros N Y I. eapply slope_by; [apply prediction; auto|]. rewrite Y. ring. Qed.
Lemma ln_one : ln E one = zero.
Proof.
  assert (H : ln E (@one F · one) = ln E one ⊕ ln E one) by (apply ln_mul; try apply zero_one; apply one_zero).
  replace (@one F · one) with (@one F) in H by ring. transitivity (sub (ln E one ⊕ ln E one) (ln E one)); [ring|]. rewrite <- H. ring.
Qed.
Lemma ln_ratio x s : zero ≼ s -> s <> zero -> ln E (exp E x · inverse s) = x ⊕ inj (- (1)) · ln E s.
Proof.
  intros P Q. destruct (exp_positive F D E x) as [A B]. assert (N : inverse s <> zero).
  { intros Z. apply (one_zero F). rewrite <- (inverse_spec F s Q), Z. ring. }
  assert (K : zero ≼ inverse s) by (apply inverse_nonnegative; auto). rewrite ln_mul, ln_exp by auto. f_equal.
  pose proof (ln_mul F D E s (inverse s) P Q K N) as H. rewrite inverse_spec, ln_one in H by auto.
  rewrite neg_one. transitivity (sub (ln E s ⊕ ln E (inverse s)) (ln E s)); [ring|]. rewrite <- H. ring.
Qed.
Theorem of_softmax n (a y : Z -> F) : 1 <= n -> score_loss n y a =
  inj (- (1)) · sum (taps n) (fun i => y i · ln E (exp E (a i) · inverse (sum (taps n) (fun j => exp E (a j))))).
Proof. intros N. destruct (powers_positive n a N) as [P Q]. f_equal. apply sum_ext. intros k _. rewrite ln_ratio; auto. Qed.
End Softmax.
(* How a certificate finds these theorems. *)
Ltac by_slopes := intros; first [apply prediction_minus_target; assumption | apply prediction; assumption | apply of_softmax; assumption].
